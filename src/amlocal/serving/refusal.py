"""A request that the model cannot be asked as it stands."""


class Refusal(Exception):
    """The client's mistake: `status` is 4xx, the text names the field."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
