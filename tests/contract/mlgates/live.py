"""The online endpoint of an environment, as it serves now: `--env NAME` puts it under the suite."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.scoring.endpoint import Address, Endpoint

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

_MODEL = re.compile(r"(?:/models/|^azureml:)(?P<name>[^/:]+)(?:/versions/|:)(?P<version>[^/:]+)$")
"""How a deployment names its model: by its id in the workspace, or as it was written."""


@dataclass(frozen=True, slots=True)
class Live:
    """A deployment that serves, and the registered model that it says it serves."""

    scorer: Endpoint
    model: Path


@contextmanager
def live_endpoint(client: "MLClient", settings: Settings, into: Path) -> Iterator[Live]:
    """Ask the deployment with most traffic by name, so that one model answers; its model is downloaded under `into`.

    Raises `AssetMissing` when there is no endpoint, or none of its deployments has traffic.
    """
    from mlgates.delivery.model_folder import download_model  # noqa: PLC0415 - takes seconds
    from mlgates.delivery.refusals import asking  # noqa: PLC0415

    name = settings.online_endpoint
    with asking(f"look at online endpoint {name}"):
        endpoint = client.online_endpoints.get(name)
        key = str(client.online_endpoints.get_keys(name).primary_key)
        serving = busiest(name, endpoint.traffic or {})
        deployed = model_of(str(client.online_deployments.get(serving, name).model))
    scorer = Endpoint(Address(str(endpoint.scoring_uri), key, serving))
    try:
        yield Live(scorer, download_model(client, *deployed, into))
    finally:
        scorer.close()


def busiest(endpoint: str, traffic: dict[str, int]) -> str:
    """Return the deployment with the largest share."""
    if not any(traffic.values()):
        raise AssetMissing(f"no deployment of online endpoint {endpoint} has traffic: nothing to hold to its contract")
    return max(traffic, key=lambda deployment: traffic[deployment])


def model_of(reference: str) -> tuple[str, str]:
    """Return name and version of the model that a deployment refers to."""
    found = _MODEL.search(reference)
    if found is None:
        raise AssetMissing(f"the deployment serves {reference!r}, which is no version of a registered model")
    return found["name"], found["version"]
