"""Both endpoints side by side: deployed, tested as soon as they are up, and deleted."""

from collections.abc import Callable, Collection, Mapping
from functools import partial

from azure.ai.ml import MLClient
from azure.core.exceptions import ResourceNotFoundError

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.core.progress import Progress, side_by_side
from mlgates.core.values import AssetVersion, BatchSmokeTest, Delivered, Deployment, EndpointKind, OnlineSmokeTest
from mlgates.delivery.batch import deploy_batch, smoke_test_batch
from mlgates.delivery.models import find_model
from mlgates.delivery.online import deploy_online, smoke_test_online
from mlgates.delivery.operations import Change, OperationResult, poll_seconds, run_operation
from mlgates.delivery.sdk import translate_sdk_errors

_DEPLOY: Mapping[EndpointKind, Callable[..., Deployment]] = {
    EndpointKind.ONLINE: deploy_online,
    EndpointKind.BATCH: deploy_batch,
}


def deploy(
    client: MLClient,
    settings: Settings,
    kinds: Collection[EndpointKind],
    *,
    version: str | None,
    smoke_test: bool,
    progress: Progress,
) -> Mapping[EndpointKind, Delivered]:
    """Deploy one model version, by default the newest, to the endpoints of `kinds`; test each if `smoke_test`."""
    model = progress.run("model", lambda: _registered(find_model(client, settings, version)))

    def one(kind: EndpointKind, progress: Progress) -> Delivered:
        deployment = _DEPLOY[kind](client, settings, model, poll_s=poll_seconds(settings), progress=progress)
        return Delivered(deployment, _smoke_test(client, settings, kind, progress) if smoke_test else None)

    results = side_by_side({str(kind): partial(one, kind) for kind in kinds}, progress=progress)
    return {kind: results[str(kind)] for kind in kinds}


def smoke_test_endpoints(
    client: MLClient, settings: Settings, kinds: Collection[EndpointKind], *, progress: Progress
) -> Mapping[EndpointKind, OnlineSmokeTest | BatchSmokeTest]:
    """Run the smoke tests of the endpoints of `kinds`: their samples are scored."""
    results = side_by_side(
        {str(kind): partial(_smoke_test, client, settings, kind) for kind in kinds}, progress=progress
    )
    return {kind: results[str(kind)] for kind in kinds}


def destroy(
    client: MLClient, settings: Settings, kinds: Collection[EndpointKind], *, poll_s: float, progress: Progress
) -> list[OperationResult]:
    """Delete the endpoints of `kinds`; one that is not there is no error."""
    runs = {str(kind): partial(_delete, client, kind, endpoint_of(settings, kind), poll_s) for kind in kinds}
    return list(side_by_side(runs, progress=progress).values())


def endpoint_of(settings: Settings, kind: EndpointKind) -> str:
    """Return an endpoint's name in the workspace."""
    return settings.online_endpoint if kind is EndpointKind.ONLINE else settings.batch_endpoint


def _registered(model: AssetVersion) -> AssetVersion:
    if model.unregistered_job:
        raise AssetMissing(f"{model} is not registered: run 'mlgates register --job {model.unregistered_job}' first")
    return model


def _smoke_test(
    client: MLClient, settings: Settings, kind: EndpointKind, progress: Progress
) -> OnlineSmokeTest | BatchSmokeTest:
    if kind is EndpointKind.ONLINE:
        return progress.run("online test", lambda: smoke_test_online(client, settings))
    return smoke_test_batch(client, settings, poll_s=poll_seconds(settings), progress=progress)


def _delete(client: MLClient, kind: EndpointKind, name: str, poll_s: float, progress: Progress) -> OperationResult:
    endpoints = client.online_endpoints if kind is EndpointKind.ONLINE else client.batch_endpoints
    with progress.step(f"{kind} endpoint") as step:
        with translate_sdk_errors(f"look up {kind} endpoint {name}"):
            try:
                endpoints.get(name)
            except ResourceNotFoundError:
                return step.done(OperationResult(name, Change.ABSENT))
        run_operation(step, lambda: endpoints.begin_delete(name), poll_s=poll_s)
        return step.done(OperationResult(name, Change.DELETED))
