"""A job's status: which may follow which, and how a job ends, with the error that says why."""

import errno
import signal
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from amlocal.core.errors import AmlocalError
from amlocal.jobs.folder import LOG_NAME


class Status(StrEnum):
    """A job's status, spelt as Azure ML spells it."""

    STARTING = "Starting"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def ended(self) -> bool:
        """Return whether nothing will follow."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELED)

    @property
    def active(self) -> bool:
        """Return whether the command runs, will soon, or has a last moment to end."""
        return self in (Status.PREPARING, Status.RUNNING, Status.CANCEL_REQUESTED)

    @property
    def waiting(self) -> bool:
        """Return whether nothing of the job has run yet."""
        return self in (Status.STARTING, Status.QUEUED)


_ENDS = frozenset({Status.FAILED, Status.CANCELED})
_NEXT: dict[Status, frozenset[Status]] = {
    Status.STARTING: _ENDS | {Status.QUEUED, Status.PREPARING, Status.CANCEL_REQUESTED},
    Status.QUEUED: _ENDS | {Status.PREPARING, Status.CANCEL_REQUESTED},
    Status.PREPARING: _ENDS | {Status.RUNNING, Status.CANCEL_REQUESTED},
    Status.RUNNING: _ENDS | {Status.FINALIZING, Status.CANCEL_REQUESTED},
    Status.FINALIZING: _ENDS | {Status.COMPLETED, Status.CANCEL_REQUESTED},
    Status.CANCEL_REQUESTED: _ENDS,
}


def may_follow(now: Status, after: Status) -> bool:
    """Return whether a job in `now` may go on to `after`."""
    return after in _NEXT.get(now, frozenset())


class JobFailure(AmlocalError):
    """A job cannot go on; the message is what its user reads.

    `code` is UserError, or SystemError where the fault is ours.
    """

    def __init__(self, message: str, *, code: str = "UserError") -> None:
        super().__init__(message)
        self.code = code


class Interrupted(AmlocalError):
    """A job was asked to stop while it was being prepared."""


def run_error(message: str, *, code: str = "SystemError") -> dict[str, Any]:
    """Return an error as run history keeps it."""
    return {"error": {"code": code, "message": message, "messageParameters": {}, "details": []}}


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """The last status of a job; `message` says why it is not Completed, `code` whose fault that is."""

    status: Status
    message: str = ""
    code: str = "UserError"


COMPLETED = JobOutcome(Status.COMPLETED)
CANCELED = JobOutcome(Status.CANCELED)
STOPPED = JobOutcome(
    Status.FAILED,
    "The workspace was stopped while the job ran; nothing of it goes on. Submit it again.",
    code="SystemError",
)


def exit_outcome(code: int, error: str, log: str = LOG_NAME) -> JobOutcome:
    """Return the ending of a command with an exit code (above 128: the signal that ended it, plus 128).

    `log` is the file that says more.
    """
    if code == 0:
        return COMPLETED
    reason = error or f"exit code {code}"
    message = (
        f"Execution failed. User process '/bin/bash' exited with status code {code}{_signal(code)}. "
        f"Please check log file '{log}' for error details. Error: {reason}"
    )
    return JobOutcome(Status.FAILED, message)


def _signal(code: int) -> str:
    """Name the signal that an exit code above 128 stands for."""
    try:
        return f" (ended by {signal.Signals(code - 128).name})" if code > 128 else ""
    except ValueError:  # a program's own code: no signal has that number
        return ""


def timeout_outcome(limit: str) -> JobOutcome:
    """Return the ending of a job that ran past its time limit: Azure ML cancels it."""
    return JobOutcome(Status.CANCELED, f"The job ran longer than its limit of {limit} and was canceled.")


def error_outcome(error: AmlocalError | OSError) -> JobOutcome:
    """Return the ending of a job that something was in the way of, before or after its command."""
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return JobOutcome(
            Status.FAILED,
            "The command or its environment variables are larger than this machine can start a process with (on Linux "
            "128 KiB each, some MiB together). Hand large values over in a file.",
        )
    if isinstance(error, OSError):
        return JobOutcome(Status.FAILED, f"This machine does not let the job run: {error}.", code="SystemError")
    return JobOutcome(Status.FAILED, str(error), code=getattr(error, "code", "UserError"))


def incomplete_outcome(ending: JobOutcome, error: AmlocalError | OSError) -> JobOutcome:
    """Return the same ending of a job whose artifacts could not be kept either."""
    return replace(ending, message=f"{ending.message} Its artifacts could not be kept: {error}".strip())
