"""How a model version comes to serve at the online endpoint."""

from collections.abc import Mapping

from azure.ai.ml import MLClient, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities import OnlineDeployment, OnlineEndpoint
from azure.core.polling import LROPoller

from mlgates.config.settings import Settings
from mlgates.core.deployments import Deployment, EndpointKind
from mlgates.core.errors import DeploymentFailed, WorkspaceRefused
from mlgates.core.progress import Progress, Step
from mlgates.core.values import AssetVersion
from mlgates.delivery.declared import load_declared
from mlgates.delivery.operations import Change, OperationResult, create_or_update, run_operation
from mlgates.delivery.refusals import translate_sdk_errors

_TAIL_LINES = 15
_ALL = 100


def deploy_online(
    client: MLClient, settings: Settings, model: AssetVersion, *, poll_s: float, progress: Progress
) -> Deployment:
    """Bring endpoint and deployment to what mlops/deploy/online declares, with exactly `model`, and all traffic to it.

    Raises `DeploymentFailed`, with the last lines of its log, when the deployment does not come up.
    """
    name = settings.online_deployment_name
    online_endpoint(client, settings, poll_s=poll_s, progress=progress)
    deployment = online_deployment(client, settings, model, name, poll_s=poll_s, progress=progress)
    with progress.step("online traffic") as step:
        step.done(share_traffic(step, client, deployment.endpoint, {name: _ALL}, poll_s=poll_s))
    return deployment


def online_endpoint(client: MLClient, settings: Settings, *, poll_s: float, progress: Progress) -> OperationResult:
    """Bring the endpoint to what online-endpoint.yml declares; its traffic stays as it is."""
    name = settings.online_endpoint
    file = settings.project.online / "online-endpoint.yml"

    def put(endpoint: OnlineEndpoint, held: OnlineEndpoint | None) -> "LROPoller[OnlineEndpoint]":
        if held is not None:  # an update replaces the shares of traffic, which the file does not declare
            endpoint.traffic, endpoint.mirror_traffic = held.traffic, held.mirror_traffic
        begun: LROPoller[OnlineEndpoint] = client.online_endpoints.begin_create_or_update(endpoint)
        return begun

    with progress.step("online endpoint") as step:
        wanted: OnlineEndpoint = load_declared(load_online_endpoint, settings.project, file, {"name": name})
        return step.done(create_or_update(step, wanted, lambda: client.online_endpoints.get(name), put, poll_s=poll_s))


def online_deployment(
    client: MLClient, settings: Settings, model: AssetVersion, name: str, *, poll_s: float, progress: Progress
) -> Deployment:
    """Bring the deployment `name` to what online-deployment.yml declares, with exactly `model`; it gets no traffic.

    Raises `DeploymentFailed`, with the last lines of its log, when it does not come up.
    """
    endpoint = settings.online_endpoint
    file = settings.project.online / "online-deployment.yml"
    over = {"name": name, "endpoint_name": endpoint, "model": model.reference}
    with progress.step("online deployment") as step:
        wanted: OnlineDeployment = load_declared(load_online_deployment, settings.project, file, over)
        try:
            outcome = create_or_update(
                step,
                wanted,
                lambda: client.online_deployments.get(name, endpoint),
                lambda deployment, _: client.online_deployments.begin_create_or_update(deployment),
                poll_s=poll_s,
            )
        except WorkspaceRefused as error:
            raise DeploymentFailed(f"{error}\n{_log(client, endpoint, name)}") from error
        with translate_sdk_errors(f"look up endpoint {endpoint}"):
            uri = str(client.online_endpoints.get(endpoint).scoring_uri)
        created = outcome.change is not Change.KEPT
        return step.done(Deployment(EndpointKind.ONLINE, endpoint, name, str(model), uri, created=created))


def share_traffic(
    step: Step,
    client: MLClient,
    endpoint_name: str,
    traffic: Mapping[str, int],
    *,
    mirror: Mapping[str, int] | None = None,
    poll_s: float,
) -> OperationResult:
    """Give each deployment its percentage of the traffic, all others none; with `mirror`, of the copied traffic too.

    `step` tells where that is.
    """
    with translate_sdk_errors(f"look up endpoint {endpoint_name}"):
        endpoint = client.online_endpoints.get(endpoint_name)
    wanted, held = _shares(traffic), _shares(endpoint.mirror_traffic)
    mirrored = held if mirror is None else _shares(mirror)
    told = " and ".join(f"{share} % to {name}" for name, share in wanted.items()) or "no traffic"
    told += "".join(f", {share} % mirrored to {name}" for name, share in mirrored.items())
    if (_shares(endpoint.traffic), held) == (wanted, mirrored):
        return OperationResult(told, Change.KEPT)
    endpoint.traffic, endpoint.mirror_traffic = wanted, mirrored
    run_operation(step, lambda: client.online_endpoints.begin_create_or_update(endpoint), poll_s=poll_s)
    return OperationResult(told, Change.UPDATED)


def _shares(traffic: Mapping[str, int] | None) -> dict[str, int]:
    return {name: share for name, share in (traffic or {}).items() if share}


def _log(client: MLClient, endpoint: str, name: str) -> str:
    with translate_sdk_errors(f"read the log of deployment {name}"):
        text = client.online_deployments.get_logs(name, endpoint, lines=_TAIL_LINES)
    lines = [f"  | {line}" for line in text.splitlines() if line.strip()]
    return "\n".join(["the last lines of its log:", *lines])
