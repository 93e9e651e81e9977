"""How endpoints are taken away, with all that is deployed to them."""

from collections.abc import Collection
from functools import partial

from azure.ai.ml import MLClient
from azure.core.exceptions import ResourceNotFoundError

from mlgates.config.settings import Settings
from mlgates.core.deployments import EndpointKind
from mlgates.core.progress import Progress
from mlgates.core.side_by_side import side_by_side
from mlgates.delivery.operations import Change, OperationResult, run_operation
from mlgates.delivery.refusals import translate_sdk_errors


def destroy(
    client: MLClient, settings: Settings, kinds: Collection[EndpointKind], *, poll_s: float, progress: Progress
) -> list[OperationResult]:
    """Delete the endpoints of `kinds`; one that is not there is no error."""
    runs = {str(kind): partial(_delete, client, kind, endpoint_of(settings, kind), poll_s) for kind in kinds}
    return list(side_by_side(runs, progress=progress).values())


def endpoint_of(settings: Settings, kind: EndpointKind) -> str:
    """Return an endpoint's name in the workspace."""
    return settings.online_endpoint if kind is EndpointKind.ONLINE else settings.batch_endpoint


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
