"""The values that steps hand to each other; frozen, and ignorant of the network."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# The states in which Azure ML leaves a job for good. Paused and CancelRequested are on their way to one of these.
ENDED = frozenset({"Completed", "Failed", "Canceled", "NotResponding"})

UNREGISTERED = "job:"
"""Begins the version of a model that is not registered yet, and is known by the job that made it: `job:sunny_sky_1`."""

UNKNOWN = "unknown"
"""In place of a commit that nobody told; no gate passes for it."""

ORIGIN_TAG = "origin"
"""Of a data asset: who made the data; `stand-in` for data that nobody measured."""


@dataclass(frozen=True, slots=True)
class AssetVersion:
    """One version of a registered asset: an environment, a data set or a model."""

    name: str
    version: str
    created: bool
    """False when the workspace already held the same content."""
    tags: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def unregistered_job(self) -> str | None:
        """The job that holds a model which is not registered yet; None for a version of the registry."""
        return self.version.removeprefix(UNREGISTERED) if self.version.startswith(UNREGISTERED) else None

    @property
    def reference(self) -> str:
        """How a job names this version in Azure ML's YAML."""
        return f"azureml:{self}"

    @property
    def summary(self) -> str:
        """One phrase for a person."""
        origin = f", origin {self.tags[ORIGIN_TAG]}" if ORIGIN_TAG in self.tags else ""
        return f"{self} {'registered' if self.created else 'already holds this content'}{origin}"


@dataclass(frozen=True, slots=True)
class Job:
    """A command job as the workspace last told of it."""

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
        """One phrase for a person."""
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
    """What a workspace holds of one project, newest first."""

    environments: tuple[AssetVersion, ...]
    data: tuple[AssetVersion, ...]
    jobs: tuple[Job, ...]
    models: tuple[AssetVersion, ...]
