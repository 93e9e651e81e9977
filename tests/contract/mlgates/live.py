"""The online endpoint of an environment, as it serves now: `--env NAME` puts it under the suite."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.core.errors import AssetMissing
from mlgates.endpoint_client import EndpointClient

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlgates.delivery.operations import LiveOnlineEndpoint


@dataclass(frozen=True, slots=True)
class Live:
    """A deployment that serves, and the registered model that it says it serves."""

    scorer: EndpointClient
    model: Path


@contextmanager
def live_endpoint(client: "MLClient", serving: "LiveOnlineEndpoint", into: Path) -> Iterator[Live]:
    """Ask the deployment with most traffic by name, so that one model answers; its model is downloaded under `into`.

    Raises `AssetMissing` when no deployment has traffic.
    """
    from mlgates.delivery.models import download_model  # noqa: PLC0415 - these take seconds
    from mlgates.delivery.online import address  # noqa: PLC0415
    from mlgates.delivery.operations import served_model  # noqa: PLC0415

    busiest = next(iter(serving.shares), None)
    if busiest is None:
        raise AssetMissing(f"no deployment of online endpoint {serving.name} has traffic: none to hold to its contract")
    model = served_model(serving.deployments[busiest])
    scorer = EndpointClient(address(client, serving.name, deployment=busiest))
    try:
        yield Live(scorer, download_model(client, model, into))
    finally:
        scorer.close()
