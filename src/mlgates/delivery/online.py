"""How a model version is deployed to the online endpoint, and the smoke test of that endpoint."""

import codecs
from collections.abc import Callable, Mapping
from functools import partial

from azure.ai.ml import MLClient, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities import OnlineDeployment, OnlineEndpoint

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, EndpointTestFailed
from mlgates.core.progress import Progress, Step
from mlgates.core.values import AssetVersion, Deployment, EndpointKind, OnlineSmokeTest
from mlgates.delivery.operations import (
    Change,
    OperationResult,
    put_deployment,
    put_endpoint,
    run_operation,
    scoring_uri,
)
from mlgates.delivery.sdk import load_declared, translate_sdk_errors
from mlgates.endpoint_client import Address, EndpointClient, Exchange, ScoringRequest, ask

_TAIL_LINES = 15
_ALL = 100
_SHOWN = 500


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
    file = settings.project.online / "online-endpoint.yml"
    over = {"name": settings.online_endpoint}
    keep = ["traffic", "mirror_traffic"]
    with progress.step("online endpoint") as step:
        wanted: OnlineEndpoint = load_declared(load_online_endpoint, settings.project, file, over)
        return step.done(put_endpoint(step, client.online_endpoints, wanted, keep=keep, poll_s=poll_s))


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
        log = partial(_log, client, endpoint, name)
        outcome = put_deployment(step, client.online_deployments, wanted, endpoint, log=log, poll_s=poll_s)
        uri = scoring_uri(client.online_endpoints, endpoint)
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

    The status of the operation is noted at `step`.
    """
    with translate_sdk_errors(f"look up endpoint {endpoint_name}"):
        endpoint = client.online_endpoints.get(endpoint_name)
    wanted, mirrored_now = _shares(traffic), _shares(endpoint.mirror_traffic)
    mirrored = mirrored_now if mirror is None else _shares(mirror)
    shown = " and ".join(f"{share} % to {name}" for name, share in wanted.items()) or "no traffic"
    shown += "".join(f", {share} % mirrored to {name}" for name, share in mirrored.items())
    if (_shares(endpoint.traffic), mirrored_now) == (wanted, mirrored):
        return OperationResult(shown, Change.KEPT)
    endpoint.traffic, endpoint.mirror_traffic = wanted, mirrored
    run_operation(step, lambda: client.online_endpoints.begin_create_or_update(endpoint), poll_s=poll_s)
    return OperationResult(shown, Change.UPDATED)


def address(client: MLClient, endpoint: str, *, deployment: str | None = None) -> Address:
    """Return where an online endpoint is asked, with a key or token of it; `deployment` by-passes the traffic."""
    with translate_sdk_errors(f"look up online endpoint {endpoint}"):
        found = client.online_endpoints.get(endpoint)
        given = client.online_endpoints.get_keys(endpoint)
    credential = getattr(given, "primary_key", None) or getattr(given, "access_token", None)
    return Address(str(found.scoring_uri), str(credential), deployment)


def sample_request(settings: Settings) -> ScoringRequest:
    """Return the request of ONLINE_SAMPLE_REQUEST. Raises `AssetMissing` when its file is not there."""
    file = settings.project.root / settings.online_sample_request
    if not file.is_file():
        source = settings.sources["ONLINE_SAMPLE_REQUEST"]
        raise AssetMissing(f"{settings.online_sample_request} (ONLINE_SAMPLE_REQUEST, {source}) is not there")
    # An editor's mark, which JSON has no room for.
    return ScoringRequest(file.read_bytes().removeprefix(codecs.BOM_UTF8))


def smoke_test_online(
    client: MLClient,
    settings: Settings,
    *,
    deployment: str | None = None,
    reach: Callable[[Address], EndpointClient] = EndpointClient,
) -> OnlineSmokeTest:
    """Send the sample to the online endpoint, as `reach` opens it, and return what came back.

    A `deployment` is asked whatever the traffic. Raises `EndpointTestFailed`, with the line that repeats the
    request, for anything but 200 and a list of predictions.
    """
    endpoint = reach(address(client, settings.online_endpoint, deployment=deployment))
    try:
        answer = ask(endpoint, sample_request(settings))
    finally:
        endpoint.close()
    exchange = endpoint.last
    if exchange is None:
        raise EndpointTestFailed(f"{settings.online_endpoint}: nothing was sent")
    if answer.status != 200:
        raise EndpointTestFailed(_failure(settings.online_endpoint, f"answered {answer.status}, not 200", exchange))
    try:
        predictions = answer.json()
    except ValueError as error:
        raise EndpointTestFailed(_failure(settings.online_endpoint, "answered what is not JSON", exchange)) from error
    if not isinstance(predictions, list) or not predictions:
        raise EndpointTestFailed(_failure(settings.online_endpoint, "answered no list of predictions", exchange))
    return OnlineSmokeTest(
        settings.online_endpoint,
        exchange.deployment,
        predictions,
        exchange.seconds * 1000,
        exchange.request_id,
        exchange.curl,
    )


def _shares(traffic: Mapping[str, int] | None) -> dict[str, int]:
    return {name: share for name, share in (traffic or {}).items() if share}


def _log(client: MLClient, endpoint: str, name: str) -> str:
    with translate_sdk_errors(f"read the log of deployment {name}"):
        text = client.online_deployments.get_logs(name, endpoint, lines=_TAIL_LINES)
    lines = [f"  | {line}" for line in text.splitlines() if line.strip()]
    return "\n".join(["the last lines of its log:", *lines])


def _failure(endpoint: str, what: str, exchange: Exchange) -> str:
    return "\n".join(
        [
            f"online endpoint {endpoint}, deployment {exchange.deployment}, {what}",
            f"  answered: {exchange.answer.text[:_SHOWN]}",
            f"  request:  {exchange.request_id}",
            f"  repeat:   {exchange.curl}",
        ]
    )
