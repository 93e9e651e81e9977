"""A workspace in memory, with the part of `MLClient` that delivery uses; assets and jobs behave as Azure ML's do."""

import shutil
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from tests.unit.mlgates.fake_endpoints import FakeBatchEndpoints, FakeDeployments, FakeOnlineEndpoints


class FakeAssets:
    """Versions by name, newest first; an unknown name is not found, as on Azure."""

    def __init__(self) -> None:
        self._versions: dict[str, list[Any]] = {}
        self._archived: set[tuple[str, str]] = set()
        self.saved: list[Any] = []

    def list(self, *, name: str, list_view_type: str = "ActiveOnly") -> Iterator[Any]:
        if name not in self._versions:
            raise ResourceNotFoundError(f"No asset exists for name: {name}")
        everything = str(getattr(list_view_type, "value", list_view_type)) == "All"
        return (each for each in self._versions[name] if everything or (name, each.version) not in self._archived)

    def archive(self, name: str, version: str) -> None:
        """Hide a version from lists, as the SDK's call does."""
        self._archived.add((name, version))

    def delete(self, name: str, version: str) -> None:
        """Take a version away, as the service does when it is asked by REST."""
        self._versions[name] = [each for each in self._versions[name] if each.version != version]

    def create_or_update(self, asset: Any) -> Any:
        versions = self._versions.setdefault(asset.name, [])
        version, path = getattr(asset, "version", None) or str(len(versions) + 1), getattr(asset, "path", None)
        known = next((each for each in versions if each.version == version), None)
        if known is not None and known.path != path:
            raise ResourceExistsError(f"version {version} of {asset.name} already exists")
        if known is not None:
            known.tags = dict(asset.tags or {})
            return known
        held = SimpleNamespace(name=asset.name, version=version, path=path, tags=dict(asset.tags or {}))
        versions.insert(0, held)
        self.saved.append(asset)
        return held

    def get(self, name: str, version: str) -> Any:
        for each in self._versions.get(name, []):
            if each.version == version:
                return copy(each)
        raise ResourceNotFoundError(f"No asset exists for name: {name}, version: {version}")

    def download(self, name: str, version: str, *, download_path: str) -> None:
        """Copy the folder that the version was saved from, one deeper, as the SDK does."""
        source = next(asset for asset in self.saved[int(version) - 1 :] if asset.name == name)
        shutil.copytree(source.path, Path(download_path, name))


class Status(str, Enum):  # noqa: UP042 - the SDK's is none of the newer kind either
    """States come as such an enum, whose `str` is not the state's name."""

    STARTING = "Starting"
    QUEUED = "Queued"
    RUNNING = "Running"
    CANCEL_REQUESTED = "CancelRequested"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass
class FakeJob:
    name: str
    status: Status
    experiment_name: str = "experiment"
    studio_url: str | None = "https://studio/run"
    tags: dict[str, str] = field(default_factory=dict)
    services: dict[str, SimpleNamespace] | None = None


class FakeJobs:
    """Jobs that move to their next state each time they are looked at; `script` is what `stream` does."""

    def __init__(self) -> None:
        self.submitted: list[Any] = []
        self.held: list[FakeJob | None] = []
        self.states: list[Status] = [Status.RUNNING, Status.COMPLETED]
        self.script: Callable[[], None] = lambda: None
        self.stored_log: str | None = None
        self.predictions = "0,1,batch.csv\n1,0,batch.csv\n"

    def create_or_update(self, job: Any) -> FakeJob:
        self.submitted.append(job)
        held = FakeJob(f"job-{len(self.submitted)}", Status.STARTING, job.experiment_name, tags=dict(job.tags))
        self.held.insert(0, held)
        return held

    def get(self, name: str) -> FakeJob:
        for job in self.held:
            if job is not None and job.name == name:
                if self.states:
                    job.status = self.states.pop(0)
                return job
        raise ResourceNotFoundError(f"Run {name} not found")

    def list(self) -> Iterator[FakeJob | None]:
        return iter(self.held)

    def stream(self, name: str) -> None:
        self.script()

    def download(
        self,
        name: str,
        *,
        download_path: str | Path,
        output_name: str | None = None,
        all: bool = False,  # noqa: A002 - as the SDK names it
    ) -> None:
        if output_name is not None:
            Path(download_path).mkdir(parents=True, exist_ok=True)
            Path(download_path, "predictions.csv").write_text(self.predictions)
        elif self.stored_log is not None:
            folder = Path(download_path, "artifacts", "user_logs")
            folder.mkdir(parents=True)
            (folder / "std_log.txt").write_text(self.stored_log)


class FakeWorkspace:
    """Stands where `MLClient` stands."""

    subscription_id, resource_group_name, workspace_name = "Sub", "RG", "ws"

    def __init__(self) -> None:
        self.environments = FakeAssets()
        self.data = FakeAssets()
        self.models = FakeAssets()
        self.jobs = FakeJobs()
        self.online_endpoints = FakeOnlineEndpoints()
        self.online_deployments = FakeDeployments()
        self.batch_endpoints = FakeBatchEndpoints(self.jobs)
        self.batch_deployments = FakeDeployments()
        self.workspaces = SimpleNamespace(
            get=lambda name: SimpleNamespace(mlflow_tracking_uri=f"https://mlflow/{name}")
        )
