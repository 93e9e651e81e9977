"""How an endpoint or a deployment stands in the workspace, and how it is brought to what is declared.

What is on its way is waited for, what is right is left alone.
"""

import io
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, TypeVar, cast

from azure.ai.ml import MLClient
from azure.ai.ml.entities import BatchDeployment, BatchEndpoint, OnlineDeployment, OnlineEndpoint
from azure.ai.ml.operations import (
    BatchDeploymentOperations,
    BatchEndpointOperations,
    OnlineDeploymentOperations,
    OnlineEndpointOperations,
)
from azure.core.exceptions import ResourceNotFoundError
from azure.core.polling import LROPoller

from mlgates.config.settings import Settings, Target
from mlgates.core.errors import AssetMissing, DeploymentFailed, WorkspaceRefused
from mlgates.core.files import sha256_of_folder, sha256_of_json, sha256_of_path
from mlgates.core.ledger import ANCHOR_TAGS
from mlgates.core.progress import Step
from mlgates.core.values import AssetVersion
from mlgates.delivery.sdk import quiet_operation, translate_sdk_errors

_MODEL = re.compile(r"(?:/models/|^azureml:|^)(?P<name>[^/:]+)(?:/versions/|:)(?P<version>[^/:]+)$")
"""How a deployment names its model: by its id in the workspace, or as it was written, when the SDK cuts `azureml:`."""
_INITIALIZER = "storage-initializer"
_LINES = 100_000
_FETCHED = re.compile(r"Model \S+: (?P<count>\d+) files, ")
_FILE = re.compile(r'sha256 (?P<sha256>[0-9a-f]{64}) (?P<path>".*")$')
CONTENT_TAG = "content_sha256"
"""On endpoints and deployments: the fingerprint of the definition that they were made from."""
_ON_ITS_WAY = frozenset({"creating", "updating", "scaling", "provisioning"})
Resource: TypeAlias = OnlineEndpoint | OnlineDeployment | BatchEndpoint | BatchDeployment
ResourceGroup: TypeAlias = (
    OnlineEndpointOperations | OnlineDeploymentOperations | BatchEndpointOperations | BatchDeploymentOperations
)
"""The operations of a client on one type of resource."""
R = TypeVar("R", bound=Resource)
T = TypeVar("T")
_GROUPS = frozenset({"online_endpoints", "online_deployments", "batch_endpoints", "batch_deployments"})
_CHANGES = "begin_"
_LOCAL_POLL_S, _AZURE_POLL_S = 0.25, 5.0


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


def default_of(endpoint: BatchEndpoint) -> str | None:
    """Return the name of the deployment that scores when none is named, or None."""
    defaults = endpoint.defaults
    name = defaults.get("deployment_name") if isinstance(defaults, dict) else getattr(defaults, "deployment_name", None)
    return str(name) if name else None


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


class Change(StrEnum):
    """What it took to bring a resource about."""

    CREATED = "created"
    UPDATED = "updated"
    KEPT = "is as declared"
    DELETED = "deleted"
    ABSENT = "was not there"


@dataclass(frozen=True, slots=True)
class OperationResult:
    """A resource is as it was wanted."""

    name: str
    change: Change

    @property
    def summary(self) -> str:
        """One phrase to print."""
        return f"{self.name} {self.change}"


def poll_seconds(settings: Settings) -> float:
    """Return how often what is under way in a workspace may be asked after, in seconds."""
    return _AZURE_POLL_S if settings.target is Target.AZURE else _LOCAL_POLL_S


def create_or_update(
    step: Step, wanted: R, find: Callable[[], R], put: Callable[[R, R | None], LROPoller[R]], *, poll_s: float
) -> OperationResult:
    """Bring the resource, after which `step` is named, to what `wanted` defines; return what that took.

    `find` raises the SDK's not-found error when there is none; `put` creates, or updates what is there now. What an
    earlier, interrupted run began is waited for, and taken when it has the same definition. Raises
    as `translate_sdk_errors` does.
    """
    digest = definition(wanted)
    existing = wait_for_earlier_operation(step, find, poll_s=poll_s)
    tags = (existing.tags or {}) if existing is not None else {}
    if existing is not None and state_of(existing).lower() == "succeeded" and tags.get(CONTENT_TAG) == digest:
        return OperationResult(str(wanted.name), Change.KEPT)
    anchors = {name: text for name, text in tags.items() if name.startswith(ANCHOR_TAGS)}
    wanted.tags = {**(wanted.tags or {}), **anchors, CONTENT_TAG: digest}
    run_operation(step, lambda: put(wanted, existing), poll_s=poll_s)
    return OperationResult(str(wanted.name), Change.CREATED if existing is None else Change.UPDATED)


def put_endpoint(step: Step, group: ResourceGroup, wanted: R, *, keep: Sequence[str], poll_s: float) -> OperationResult:
    """Bring an endpoint to what `wanted` defines; the attributes `keep` stay as they are.

    Its file does not declare them, and an update would replace them.
    """

    def put(endpoint: R, existing: R | None) -> LROPoller[R]:
        if existing is not None:
            for name in keep:
                setattr(endpoint, name, getattr(existing, name))
        begun: LROPoller[R] = group.begin_create_or_update(endpoint)
        return begun

    return create_or_update(step, wanted, lambda: group.get(wanted.name), put, poll_s=poll_s)


def put_deployment(
    step: Step, group: ResourceGroup, wanted: R, endpoint: str, *, log: Callable[[], str] = str, poll_s: float
) -> OperationResult:
    """Bring a deployment of `endpoint` to what `wanted` defines.

    Raises `DeploymentFailed`, with what `log` returns, when the workspace refuses it.
    """
    find = partial(group.get, wanted.name, endpoint)
    try:
        return create_or_update(
            step, wanted, find, lambda deployment, _: group.begin_create_or_update(deployment), poll_s=poll_s
        )
    except WorkspaceRefused as error:
        raise DeploymentFailed("\n".join(filter(None, (str(error), log())))) from error


def scoring_uri(group: ResourceGroup, endpoint: str) -> str:
    """Return where an endpoint is asked."""
    with translate_sdk_errors(f"look up endpoint {endpoint}"):
        return str(group.get(endpoint).scoring_uri)


def wait_for_earlier_operation(step: Step, find: Callable[[], R], *, poll_s: float) -> R | None:
    """Return the resource once nothing is under way for it, None when there is none."""
    while True:
        with translate_sdk_errors(f"look up the {step.name}"):
            try:
                existing = find()
            except ResourceNotFoundError:
                return None
        if state_of(existing).lower() not in _ON_ITS_WAY:
            return existing
        step.note(f"waits for what an earlier run began ({state_of(existing)})")
        time.sleep(poll_s)


def run_operation(step: Step, begin: Callable[[], LROPoller[T]], *, poll_s: float) -> T:
    """Begin an operation, note its status until it ends, and return its result."""
    with quiet_operation(), translate_sdk_errors(f"bring about the {step.name}"):
        poller = begin()
        seen = ""
        while not poller.done():
            if (status := str(poller.status())) != seen:
                step.note(status)
            seen = status
            poller.wait(timeout=poll_s)
        result: T = poller.result()
        return result


def definition(wanted: Resource) -> str:
    """Return the fingerprint of a definition, the content of local files that it names included."""
    text = io.StringIO()
    returned = wanted.dump(text)
    return sha256_of_json({"declared": text.getvalue() or returned, **_local_files(wanted)})


def state_of(existing: Resource) -> str:
    """Return a resource's provisioning state as Azure ML spells it: `Succeeded`, `Failed`, `Updating`."""
    state = existing.provisioning_state
    return str(getattr(state, "value", None) or state or "Succeeded")  # an enum for states that the SDK knows


def fenced(client: MLClient, check: Callable[[], None]) -> MLClient:
    """Return `client`, with `check` called before each operation on endpoints and deployments that it begins.

    What `check` raises comes instead of the operation.
    """
    return cast("MLClient", _Fenced(client, check, _GROUPS))


class _Fenced:
    """Passes everything on; `groups` are the attributes that are fenced in their turn."""

    def __init__(self, inner: object, check: Callable[[], None], groups: frozenset[str] = frozenset()) -> None:
        self._inner = inner
        self._check = check
        self._groups = groups

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in self._groups:
            return _Fenced(found, self._check)
        if not self._groups and name.startswith(_CHANGES):
            return self._checked(found)
        return found

    def _checked(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **more: Any) -> Any:
            self._check()
            return operation(*words, **more)

        return call


def _local_files(wanted: Resource) -> Mapping[str, str]:
    code = getattr(getattr(wanted, "code_configuration", None), "code", None)
    return {"code": sha256_of_path(Path(code))} if code and Path(code).is_dir() else {}
