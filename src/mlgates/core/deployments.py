"""What delivery leaves behind at an endpoint, and what its smoke test showed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class EndpointKind(StrEnum):
    """How an endpoint is asked."""

    ONLINE = "online"
    """A request at a time, answered at once."""
    BATCH = "batch"
    """Files, scored by a job."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that serves one model version."""

    kind: EndpointKind
    endpoint: str
    name: str
    model: str
    """Name and version, `classifier:3`."""
    uri: str
    """Where it is asked."""
    created: bool
    """False when just this was deployed before."""

    @property
    def summary(self) -> str:
        """One phrase to print."""
        return f"{self.endpoint}/{self.name} {'serves' if self.created else 'already serves'} {self.model}"


@dataclass(frozen=True, slots=True)
class OnlineSmokeTest:
    """An online endpoint has answered the sample."""

    endpoint: str
    deployment: str
    """The one that answered."""
    predictions: Sequence[object]
    milliseconds: float
    request_id: str
    curl: str
    """The line that repeats the request; the key is left to the variable `KEY`."""

    @property
    def summary(self) -> str:
        """One phrase to print."""
        count = len(self.predictions)
        what = f"{count} prediction{'' if count == 1 else 's'}"
        return f"{self.endpoint}/{self.deployment} answered {what} in {self.milliseconds:.0f} ms"


@dataclass(frozen=True, slots=True)
class BatchSmokeTest:
    """A batch endpoint has scored the sample."""

    endpoint: str
    job: str
    rows: int
    """Rows asked and predictions given: they are as many."""

    @property
    def summary(self) -> str:
        """One phrase to print."""
        return f"{self.endpoint} scored {self.rows} rows (job {self.job})"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery of one kind came to."""

    deployment: Deployment
    smoke_test: OnlineSmokeTest | BatchSmokeTest | None
    """None when no smoke test was asked for."""


@dataclass(frozen=True, slots=True)
class Released:
    """A version has all the traffic of the online endpoint, and is the default of the batch endpoint."""

    model: str
    """Name and version, `classifier:3`."""
    endpoint: str
    deployment: str
    before: str | None
    """What served before, `classifier:2`."""
    changed: bool
    """False when it served already."""

    @property
    def summary(self) -> str:
        """In one phrase."""
        before = f" after {self.before}" if self.changed and self.before else ""
        return (
            f"{self.endpoint}/{self.deployment} {'serves' if self.changed else 'already serves'} {self.model}{before}"
        )
