"""The smoke test of the online endpoint: the sample is sent as any caller would send it."""

import codecs
from collections.abc import Callable

from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.deployments import OnlineSmokeTest
from mlgates.core.errors import AssetMissing, EndpointTestFailed
from mlgates.delivery.refusals import translate_sdk_errors
from mlgates.endpoint_client import Address, EndpointClient, Exchange, ScoringRequest, ask

_SHOWN = 500


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
    return ScoringRequest(
        file.read_bytes().removeprefix(codecs.BOM_UTF8)
    )  # an editor's mark, which JSON has no room for


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


def _failure(endpoint: str, what: str, exchange: Exchange) -> str:
    return "\n".join(
        [
            f"online endpoint {endpoint}, deployment {exchange.deployment}, {what}",
            f"  answered: {exchange.answer.text[:_SHOWN]}",
            f"  request:  {exchange.request_id}",
            f"  repeat:   {exchange.curl}",
        ]
    )
