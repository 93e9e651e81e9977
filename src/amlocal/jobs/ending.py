"""How a job ends, as a value, and the words for it."""

import errno
import signal
from dataclasses import dataclass, replace

from amlocal.core.errors import AmlocalError
from amlocal.jobs.folder import LOG_NAME
from amlocal.jobs.states import Status


@dataclass(frozen=True, slots=True)
class Ending:
    """The last status of a job; `message` says why it is not Completed, `code` whose fault that is."""

    status: Status
    message: str = ""
    code: str = "UserError"


COMPLETED = Ending(Status.COMPLETED)
CANCELED = Ending(Status.CANCELED)
STOPPED = Ending(
    Status.FAILED,
    "The workspace was stopped while the job ran; nothing of it goes on. Submit it again.",
    code="SystemError",
)


def exited(code: int, error: str, log: str = LOG_NAME) -> Ending:
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
    return Ending(Status.FAILED, message)


def _signal(code: int) -> str:
    """Name the signal that an exit code above 128 stands for."""
    try:
        return f" (ended by {signal.Signals(code - 128).name})" if code > 128 else ""
    except ValueError:  # a program's own code: no signal has that number
        return ""


def overran(limit: str) -> Ending:
    """Return the ending of a job that ran past its time limit: Azure ML cancels it."""
    return Ending(Status.CANCELED, f"The job ran longer than its limit of {limit} and was canceled.")


def failed(error: AmlocalError | OSError) -> Ending:
    """Return the ending of a job that something was in the way of, before or after its command."""
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return Ending(
            Status.FAILED,
            "The command or its environment variables are larger than this machine can start a process with (on Linux "
            "128 KiB each, some MiB together). Hand large values over in a file.",
        )
    if isinstance(error, OSError):
        return Ending(Status.FAILED, f"This machine does not let the job run: {error}.", code="SystemError")
    return Ending(Status.FAILED, str(error), code=getattr(error, "code", "UserError"))


def incomplete(ending: Ending, error: AmlocalError | OSError) -> Ending:
    """Return the same ending of a job whose artifacts could not be kept either."""
    return replace(ending, message=f"{ending.message} Its artifacts could not be kept: {error}".strip())
