"""The states of a job and which may follow which."""

from enum import StrEnum


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
        """Tell whether nothing will follow."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELED)

    @property
    def active(self) -> bool:
        """Tell whether the command runs, will soon, or has a last moment to end."""
        return self in (Status.PREPARING, Status.RUNNING, Status.CANCEL_REQUESTED)

    @property
    def waiting(self) -> bool:
        """Tell whether nothing of the job has run yet."""
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
    """Tell whether a job in `now` may go on to `after`."""
    return after in _NEXT.get(now, frozenset())
