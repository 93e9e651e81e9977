"""How endpoints are taken away, with all that is deployed to them."""

from collections.abc import Collection

from azure.ai.ml import MLClient
from azure.core.exceptions import ResourceNotFoundError

from mlgates.config.settings import Settings
from mlgates.core.deployments import Kind
from mlgates.core.events import Steps
from mlgates.core.side_by_side import side_by_side
from mlgates.core.steps import watched
from mlgates.delivery.operations import Change, Outcome, finished
from mlgates.delivery.refusals import asking


def destroy(client: MLClient, settings: Settings, kinds: Collection[Kind], *, poll_s: float) -> Steps[list[Outcome]]:
    """Delete the endpoints of `kinds`; one that is not there is no error."""
    runs = {
        str(kind): watched(f"{kind} endpoint", _delete(client, kind, endpoint_of(settings, kind), poll_s))
        for kind in kinds
    }
    return list((yield from side_by_side(runs)).values())


def endpoint_of(settings: Settings, kind: Kind) -> str:
    """Return an endpoint's name in the workspace."""
    return settings.online_endpoint if kind is Kind.ONLINE else settings.batch_endpoint


def _delete(client: MLClient, kind: Kind, name: str, poll_s: float) -> Steps[Outcome]:
    endpoints = client.online_endpoints if kind is Kind.ONLINE else client.batch_endpoints
    with asking(f"look up {kind} endpoint {name}"):
        try:
            endpoints.get(name)
        except ResourceNotFoundError:
            return Outcome(name, Change.ABSENT)
    yield from finished(f"{kind} endpoint", lambda: endpoints.begin_delete(name), poll_s=poll_s)
    return Outcome(name, Change.DELETED)
