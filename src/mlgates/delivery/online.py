"""How a model version comes to serve at the online endpoint."""

from azure.ai.ml import MLClient, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities import OnlineDeployment, OnlineEndpoint
from azure.core.polling import LROPoller

from mlgates.config.settings import Settings
from mlgates.core.deployments import Deployment, Kind
from mlgates.core.errors import DeploymentFailed, WorkspaceRefused
from mlgates.core.events import Steps
from mlgates.core.steps import watched
from mlgates.core.values import AssetVersion
from mlgates.delivery.declared import load
from mlgates.delivery.operations import Change, Outcome, bring_about, finished
from mlgates.delivery.refusals import asking

_TAIL_LINES = 15
_ALL = 100


def deploy_online(client: MLClient, settings: Settings, model: AssetVersion, *, poll_s: float) -> Steps[Deployment]:
    """Bring endpoint and deployment to what mlops/deploy/online declares, with exactly `model`, and all traffic to it.

    Raises `DeploymentFailed`, with the last lines of its log, when the deployment does not come up.
    """
    yield from watched("online endpoint", _endpoint(client, settings, poll_s))
    deployment = yield from watched("online deployment", _deployment(client, settings, model, poll_s))
    yield from watched("online traffic", _traffic(client, deployment, poll_s))
    return deployment


def _endpoint(client: MLClient, settings: Settings, poll_s: float) -> Steps[Outcome]:
    name = settings.online_endpoint
    file = settings.project.online / "online-endpoint.yml"
    wanted: OnlineEndpoint = load(load_online_endpoint, settings.project, file, {"name": name})

    def put(endpoint: OnlineEndpoint, held: OnlineEndpoint | None) -> "LROPoller[OnlineEndpoint]":
        if held is not None:  # an update replaces the shares of traffic, which the file does not declare
            endpoint.traffic, endpoint.mirror_traffic = held.traffic, held.mirror_traffic
        begun: LROPoller[OnlineEndpoint] = client.online_endpoints.begin_create_or_update(endpoint)
        return begun

    find = lambda: client.online_endpoints.get(name)  # noqa: E731
    return (yield from bring_about("online endpoint", wanted, find, put, poll_s=poll_s))


def _deployment(client: MLClient, settings: Settings, model: AssetVersion, poll_s: float) -> Steps[Deployment]:
    endpoint, name = settings.online_endpoint, settings.online_deployment_name
    file = settings.project.online / "online-deployment.yml"
    over = {"name": name, "endpoint_name": endpoint, "model": model.reference}
    wanted: OnlineDeployment = load(load_online_deployment, settings.project, file, over)
    try:
        outcome = yield from bring_about(
            "online deployment",
            wanted,
            lambda: client.online_deployments.get(name, endpoint),
            lambda deployment, _: client.online_deployments.begin_create_or_update(deployment),
            poll_s=poll_s,
        )
    except WorkspaceRefused as error:
        raise DeploymentFailed(f"{error}\n{_log(client, endpoint, name)}") from error
    with asking(f"look up endpoint {endpoint}"):
        uri = str(client.online_endpoints.get(endpoint).scoring_uri)
    return Deployment(Kind.ONLINE, endpoint, name, str(model), uri, created=outcome.change is not Change.KEPT)


def _traffic(client: MLClient, deployment: Deployment, poll_s: float) -> Steps[Outcome]:
    with asking(f"look up endpoint {deployment.endpoint}"):
        endpoint = client.online_endpoints.get(deployment.endpoint)
    share = Outcome(f"{_ALL} % to {deployment.name}", Change.KEPT)
    if endpoint.traffic.get(deployment.name) == _ALL:
        return share
    endpoint.traffic = {deployment.name: _ALL}
    yield from finished(
        "online traffic", lambda: client.online_endpoints.begin_create_or_update(endpoint), poll_s=poll_s
    )
    return Outcome(share.name, Change.UPDATED)


def _log(client: MLClient, endpoint: str, name: str) -> str:
    with asking(f"read the log of deployment {name}"):
        text = client.online_deployments.get_logs(name, endpoint, lines=_TAIL_LINES)
    lines = [f"  | {line}" for line in text.splitlines() if line.strip()]
    return "\n".join(["the last lines of its log:", *lines])
