"""The values that steps hand to each other, and how they are spelled in tags; frozen, independent of the network."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from mlgates.core.errors import AssetMissing

# The states in which Azure ML leaves a job for good. Paused and CancelRequested are on their way to one of these.
ENDED = frozenset({"Completed", "Failed", "Canceled", "NotResponding"})

UNKNOWN = "unknown"
"""In place of a commit that is not known; no gate passes for it."""

ORIGIN_TAG = "origin"
"""Of a data asset: who made the data; `stand-in` for data that nobody measured."""
_JOB = "job:"
_MODEL_REF = re.compile(rf"(?P<name>[^:\s]+):(?P<version>(?:{_JOB})?[^:\s]+)")
METRIC, GATE = "metric.", "gate."


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model is meant: `classifier:3` of the registry, or `classifier:job:sunny_sky_1`.

    The second is what a job has made and nobody has registered yet.
    """

    name: str
    version: str
    """`3`, or `job:sunny_sky_1`."""

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def job(self) -> str | None:
        """The job that made a model which is not registered yet; None for a version of the registry."""
        return self.version.removeprefix(_JOB) if self.version.startswith(_JOB) else None

    @classmethod
    def of_job(cls, name: str, job: str) -> Self:
        """Return what names the model that `job` has made."""
        return cls(name, f"{_JOB}{job}")

    @classmethod
    def match(cls, text: str) -> Self | None:
        """Read `text`; None when it names no model."""
        found = _MODEL_REF.fullmatch(text)
        return None if found is None else cls(found["name"], found["version"])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `text`. Raises `AssetMissing` when it names no model."""
        found = cls.match(text)
        if found is None:
            raise AssetMissing(f"'{text}' names no model: say NAME:VERSION, or NAME:job:JOB before it is registered")
        return found


@dataclass(frozen=True, slots=True)
class AssetVersion:
    """One version of a registered asset: an environment, a data set or a model."""

    name: str
    version: str
    created: bool
    """False when the workspace already had the same content."""
    tags: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def unregistered_job(self) -> str | None:
        """The job that made a model which is not registered yet; None for a version of the registry."""
        return ModelRef(self.name, self.version).job

    @property
    def reference(self) -> str:
        """How a job names this version in Azure ML's YAML."""
        return f"azureml:{self}"

    @property
    def summary(self) -> str:
        """One phrase to print."""
        origin = f", origin {self.tags[ORIGIN_TAG]}" if ORIGIN_TAG in self.tags else ""
        return f"{self} {'registered' if self.created else 'already holds this content'}{origin}"


@dataclass(frozen=True, slots=True)
class ModelArtifact:
    """A version of the model with the checksum of its files: what gates, approvals and releases are about."""

    asset: AssetVersion
    sha256: str
    """What an approval is bound to; empty when nobody looked."""

    @classmethod
    def of(cls, model: str, sha256: str, tags: Mapping[str, str] | None = None) -> Self:
        """Return the artifact of `model`, `classifier:3`. Raises `ValueError` for a name without a version."""
        name, colon, version = model.partition(":")
        if not colon:
            raise ValueError(f"'{model}' is no NAME:VERSION")
        return cls(AssetVersion(name, version, created=False, tags=dict(tags or {})), sha256)

    @property
    def model(self) -> str:
        """Name and version, `classifier:3`."""
        return str(self.asset)

    @property
    def tags(self) -> Mapping[str, str]:
        """Its lineage, and what gates and releases have written on it."""
        return self.asset.tags

    @property
    def summary(self) -> str:
        """In one phrase."""
        return f"{self.model}, content {self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class Job:
    """A command job as the workspace last reported it."""

    name: str
    experiment: str
    status: str
    link: str | None = None
    """The page that shows the run; None when the workspace offers none."""
    tracking: str | None = None
    """The address of the MLflow that tracks it."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """True when no further change of state will come."""
        return self.status in ENDED

    @property
    def summary(self) -> str:
        """One phrase to print."""
        return f"{self.name} {self.status}"


@dataclass(frozen=True, slots=True)
class SourceState:
    """Which source a run was started from."""

    commit: str
    """The full git commit, or `unknown` outside a git checkout."""
    dirty: bool
    """True when tracked or untracked files differ from the commit."""
    changes: tuple[str, ...] = field(default=(), compare=False)
    """The paths that differ, as far as they are known."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a workspace has of one project, newest first."""

    environments: tuple[AssetVersion, ...]
    data: tuple[AssetVersion, ...]
    jobs: tuple[Job, ...]
    models: tuple[AssetVersion, ...]


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


def metric_tags(metrics: Mapping[str, float]) -> dict[str, str]:
    """Return the tags that carry `metrics`; floats keep every digit."""
    return {METRIC + name: repr(float(value)) for name, value in sorted(metrics.items())}


def metrics_of(tags: Mapping[str, str]) -> dict[str, float]:
    """Read metrics back. Raises `ValueError` for one that is no number."""
    return {name.removeprefix(METRIC): float(text) for name, text in tags.items() if name.startswith(METRIC)}


def gate_tags(gate: str, *, passed: bool, record: str) -> dict[str, str]:
    """Return the tags that carry the verdict of a gate and the checksum of its record."""
    return {f"{GATE}{gate}": "passed" if passed else "failed", f"{GATE}{gate}.record": record}


def verdict_of(tags: Mapping[str, str], gate: str) -> bool | None:
    """Return whether a gate passed; None for one that a version has not been through."""
    verdict = tags.get(f"{GATE}{gate}")
    return None if verdict is None else verdict == "passed"


def record_of(tags: Mapping[str, str], gate: str) -> str | None:
    """Return the checksum of the record that a gate has left, None when it has left none."""
    return tags.get(f"{GATE}{gate}.record")
