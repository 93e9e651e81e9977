"""Why a check has no verdict."""


class CouldNotRun(Exception):
    """The evidence for a check is not there or cannot be used; the text says why, and `remedy` what to do."""

    def __init__(self, reason: str, *, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy
