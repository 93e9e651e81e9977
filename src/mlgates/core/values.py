"""The values that steps hand to each other; frozen, and independent of the network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
