"""What every stage of a pipeline has at hand, and what its stages hand to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlgates.build.archive import Build
from mlgates.build.project import Unpacked, data_beside
from mlgates.config.settings import Settings
from mlgates.core.gates import GateRecord
from mlgates.core.values import AssetVersion, Job, SourceState
from mlgates.delivery.train import TrainingRequest

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a pipeline beyond what the project declares."""

    inputs: Mapping[str, str | int | float] = field(default_factory=dict)
    """Inputs of pipeline.yml to set otherwise."""
    anew: bool = False
    """Train although a job of the same fingerprint is there."""
    until: str | None = None
    """The stage to end with."""
    approver: str = ""
    """Who has approved, where the CI system asked for it; empty for nobody yet."""
    reason: str = ""
    canary: bool = True
    """False to give all traffic in one step."""


@dataclass(slots=True)
class Work:
    """A pipeline at work; what the stages find out stays here."""

    client: "MLClient"
    settings: Settings
    request: Request
    source: SourceState
    """Of the checkout that the pipeline runs from."""
    build: Build | None = None
    trained_from: Settings | None = None
    """The settings of the project that the build holds."""
    job: Job | None = None
    model: AssetVersion | None = None
    gates: list[GateRecord] = field(default_factory=list)

    def take(self, held: Unpacked) -> None:
        """Train from an unpacked build from here on."""
        self.build = held.build
        self.trained_from = replace(self.settings, project=held.project)

    def training(self) -> tuple[Settings, TrainingRequest]:
        """Return what is trained from, and how: the build, and no other source."""
        build, settings = self.build, self.trained_from
        if build is None or settings is None:
            raise RuntimeError("a stage that makes or checks the build comes before training")
        request = TrainingRequest(
            source=build.manifest.source,
            inputs=self.request.inputs,
            data_file=data_beside(settings.project, self.settings.project),
            build=build.sha256,
        )
        return settings, request
