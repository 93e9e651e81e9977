"""Reads mlops/release.yml: the steps of a canary, how long each is monitored, and what breaks it off."""

from typing import Annotated

from pydantic import Field, field_validator

from mlgates.config.declaring import Strict, parsed, read_yaml
from mlgates.config.project import Project
from mlgates.config.settings import Settings, Target

Percent = Annotated[int, Field(ge=1, le=100)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
ALL = 100
LEAST = 50
"""Answers of each version that a verdict needs: so many Kayenta asks of each metric (docs/release.md)."""


class WatchSeconds(Strict):
    """How long a step is monitored, in seconds, on Azure and on a local workspace."""

    azure: Seconds = 300.0
    local: Seconds = 2.0


class ExtraSeconds(Strict):
    """How much longer a step is monitored at most, in seconds, while it is not known whether a limit is kept."""

    azure: Seconds = 900.0
    local: Seconds = 60.0


class BaselineConfig(Strict):
    """Whether a baseline is deployed, on Azure and on a local workspace: it takes an instance, and its time."""

    azure: bool = True
    local: bool = False


class CanaryConfig(Strict):
    """How the traffic is shifted."""

    steps: tuple[Percent, ...] = Field(default=(10, 50, ALL), strict=False)
    """Percent of the traffic for the new version, one after the other; the last is 100."""
    mirror: Annotated[int, Field(ge=0, le=50)] = 0
    """Percent of the traffic that is copied to the new version before it gets any; Azure allows up to 50."""
    baseline: bool | BaselineConfig = BaselineConfig()
    """A fresh deployment of the version that serves is compared with, and gets as much traffic as the new one."""
    seconds: WatchSeconds = WatchSeconds()
    extra_seconds: ExtraSeconds = ExtraSeconds()

    @field_validator("steps")
    @classmethod
    def _rise_to_all(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if list(steps) != sorted(set(steps)) or not steps or steps[-1] != ALL:
            raise ValueError(f"the steps rise, and end at {ALL}: [10, 50, {ALL}]")
        return steps


class CanaryLimits(Strict):
    """What the new version must keep to at every step, seen from where the release runs.

    A limit is broken when the interval of what was seen lies above it (docs/release.md).
    """

    max_error_rate: Fraction = 0.0
    """Of the requests that the new version was asked: answers other than 200, and none at all. At 0 one breaks it."""
    max_median_ms: Annotated[float, Field(gt=0)] | None = None
    """What its median answer may take."""
    max_slowdown: Annotated[float, Field(gt=0)] | None = None
    """Its median answer over that of the old version."""
    max_difference: Fraction | None = None
    """The share of predictions that differ from the old version's on the same rows."""
    tolerance: Annotated[float, Field(ge=0)] = 1e-9
    """Two numbers that are predicted are the same within it: relative, and absolute near zero."""
    requests: Annotated[int, Field(ge=1)] = LEAST
    """So many are answered by each version at each step at least, however short it is; never fewer than 50."""

    @property
    def least(self) -> int:
        """The answers of each version without which there is no verdict."""
        return max(self.requests, LEAST)


class ReleaseConfig(Strict):
    """All that release.yml declares."""

    canary: CanaryConfig = CanaryConfig()
    limits: CanaryLimits = CanaryLimits()
    keep_old_for_hours: Annotated[float, Field(ge=0)] = 72.0
    """How long a deployment without traffic is kept."""

    def seconds(self, settings: Settings) -> float:
        """Return how long a step is monitored in an environment."""
        return _of(self.canary.seconds, settings)

    def extra_seconds(self, settings: Settings) -> float:
        """Return how much longer it is monitored at most while there is no verdict."""
        return _of(self.canary.extra_seconds, settings)

    def baseline(self, settings: Settings) -> bool:
        """Return whether a canary has a baseline in an environment."""
        declared = self.canary.baseline
        if isinstance(declared, bool):
            return declared
        return declared.azure if settings.target is Target.AZURE else declared.local


def _of(seconds: WatchSeconds | ExtraSeconds, settings: Settings) -> float:
    return seconds.azure if settings.target is Target.AZURE else seconds.local


def read_release(project: Project) -> ReleaseConfig:
    """Return what a project's release.yml declares. Raises `ConfigurationError` for the first thing wrong with it."""
    file = project.release_file
    shown = project.shown(file)
    return parsed(
        shown, ReleaseConfig, read_yaml(file, shown, "a project declares its releases in it (docs/release.md)")
    )
