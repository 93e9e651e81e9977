"""What serves at an endpoint now: its deployments, the model that each has fetched, and their logs."""

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from azure.ai.ml import MLClient
from azure.ai.ml.entities import BatchDeployment, BatchEndpoint, OnlineDeployment, OnlineEndpoint

from mlgates.core.errors import AssetMissing, WorkspaceRefused
from mlgates.core.files import sha256_of_folder
from mlgates.core.values import AssetVersion
from mlgates.delivery.batch import default_of
from mlgates.delivery.sdk_errors import translate_sdk_errors

_MODEL = re.compile(r"(?:/models/|^azureml:|^)(?P<name>[^/:]+)(?:/versions/|:)(?P<version>[^/:]+)$")
"""How a deployment names its model: by its id in the workspace, or as it was written, when the SDK cuts `azureml:`."""
_INITIALIZER = "storage-initializer"
_LINES = 100_000
_FETCHED = re.compile(r"Model \S+: (?P<count>\d+) files, ")
_FILE = re.compile(r'sha256 (?P<sha256>[0-9a-f]{64}) (?P<path>".*")$')


@dataclass(frozen=True, slots=True)
class LiveOnlineEndpoint:
    """An online endpoint and its deployments, by name."""

    endpoint: OnlineEndpoint
    deployments: Mapping[str, OnlineDeployment]

    @property
    def name(self) -> str:
        """The endpoint's name in the workspace."""
        return str(self.endpoint.name)

    @property
    def shares(self) -> Mapping[str, int]:
        """Percent of the traffic, for each deployment that has any; the largest first."""
        shares = {str(name): int(share) for name, share in (self.endpoint.traffic or {}).items() if share}
        return dict(sorted(shares.items(), key=lambda each: -each[1]))


@dataclass(frozen=True, slots=True)
class LiveBatchEndpoint:
    """A batch endpoint and its deployments, by name."""

    endpoint: BatchEndpoint
    deployments: Mapping[str, BatchDeployment]

    @property
    def name(self) -> str:
        """The endpoint's name in the workspace."""
        return str(self.endpoint.name)

    @property
    def default(self) -> str | None:
        """The deployment that scores when none is named."""
        return default_of(self.endpoint)


def get_online_endpoint(client: MLClient, name: str) -> LiveOnlineEndpoint:
    """Return an online endpoint with its deployments. Raises `AssetMissing` when it is not there."""
    with translate_sdk_errors(f"look at online endpoint {name}"):
        endpoint = client.online_endpoints.get(name)
        return LiveOnlineEndpoint(endpoint, {str(each.name): each for each in client.online_deployments.list(name)})


def get_batch_endpoint(client: MLClient, name: str) -> LiveBatchEndpoint:
    """Return a batch endpoint with its deployments. Raises `AssetMissing` when it is not there."""
    with translate_sdk_errors(f"look at batch endpoint {name}"):
        endpoint = client.batch_endpoints.get(name)
        return LiveBatchEndpoint(endpoint, {str(each.name): each for each in client.batch_deployments.list(name)})


def served_model(deployment: OnlineDeployment | BatchDeployment) -> AssetVersion:
    """Return the registered model that a deployment serves, without its tags. Raises `AssetMissing` for another."""
    found = _MODEL.search(str(deployment.model))
    if found is None:
        raise AssetMissing(f"deployment {deployment.name} serves {deployment.model}: no version of a registered model")
    return AssetVersion(found["name"], found["version"], created=False)


def deployed_checksum(client: MLClient, endpoint: str, deployment: str) -> str | None:
    """Return the checksum of the model in a deployment, as `sha256_of_path` gives it; None when no log lists it."""
    try:
        with translate_sdk_errors(f"read what deployment {deployment} has fetched"):
            log = client.online_deployments.get_logs(deployment, endpoint, lines=_LINES, container_type=_INITIALIZER)
    except WorkspaceRefused:
        return None  # the service does not give the log
    return checksum_in(str(log))


def checksum_in(log: str) -> str | None:
    """Return the checksum of the model that was fetched last, None when the log does not list all its files."""
    lines = log.splitlines()
    starts = [(place, found) for place, line in enumerate(lines) if (found := _FETCHED.search(line))]
    if not starts:
        return None
    place, start = starts[-1]
    listed = [found for line in lines[place + 1 :] if (found := _FILE.search(line))]
    files = {str(json.loads(found["path"])): found["sha256"] for found in listed}
    models = sorted((PurePosixPath(path) for path in files if PurePosixPath(path).name == "MLmodel"), key=_depth)
    if len(files) != int(start["count"]) or not models:
        return None
    root = models[0].parent
    below = {path: sha256 for path, sha256 in files.items() if PurePosixPath(path).is_relative_to(root)}
    return sha256_of_folder({PurePosixPath(path).relative_to(root).as_posix(): each for path, each in below.items()})


def online_log(client: MLClient, endpoint: str, deployment: str, *, lines: int) -> Sequence[str]:
    """Return the last `lines` that a deployment logged."""
    with translate_sdk_errors(f"read the log of deployment {deployment} of online endpoint {endpoint}"):
        return str(client.online_deployments.get_logs(deployment, endpoint, lines=lines)).splitlines()[-lines:]


def batch_log(client: MLClient, endpoint: str, *, lines: int) -> Sequence[str]:
    """Return the last `lines` of the newest job of a batch endpoint. Raises `AssetMissing` when it had none."""
    with translate_sdk_errors(f"list the jobs of batch endpoint {endpoint}"):
        newest = next(iter(client.batch_endpoints.list_jobs(endpoint)), None)
    if newest is None:
        raise AssetMissing(f"batch endpoint {endpoint} has not scored yet: run 'mlgates test --only batch'")
    with tempfile.TemporaryDirectory() as folder, translate_sdk_errors(f"download the log of job {newest.name}"):
        client.jobs.download(str(newest.name), download_path=folder, all=True)
        logs = sorted(Path(folder).rglob("user_logs/*.txt"))
        return [line for log in logs for line in log.read_text("utf-8", errors="replace").splitlines()][-lines:]


def _depth(path: PurePosixPath) -> int:
    return len(path.parts)
