"""How a resource is brought to what is declared: what is on its way is waited for, what is right is left alone."""

import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
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

from mlgates.core.errors import DeploymentFailed, WorkspaceRefused
from mlgates.core.files import sha256_of_json, sha256_of_path
from mlgates.core.ledger import ANCHOR_TAGS
from mlgates.core.progress import Step
from mlgates.delivery.sdk_errors import translate_sdk_errors
from mlgates.delivery.sdk_output import quiet_operation

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
