"""Why a job failed, in the shape that run history shows it."""

from typing import Any

from amlocal.core.errors import AmlocalError


class JobFailure(AmlocalError):
    """A job cannot go on; the message is what its user reads.

    `code` is UserError, or SystemError where the fault is ours.
    """

    def __init__(self, message: str, *, code: str = "UserError") -> None:
        super().__init__(message)
        self.code = code


class Interrupted(AmlocalError):
    """A job was asked to stop while it was being prepared."""


def fault(message: str, *, code: str = "SystemError") -> dict[str, Any]:
    """Return an error as run history keeps it."""
    return {"error": {"code": code, "message": message, "messageParameters": {}, "details": []}}
