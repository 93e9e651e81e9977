"""What serves at an endpoint now, as the workspace tells of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from azure.ai.ml import MLClient
from azure.ai.ml.entities import BatchDeployment, BatchEndpoint, OnlineDeployment, OnlineEndpoint

from mlgates.core.errors import AssetMissing
from mlgates.core.values import AssetVersion
from mlgates.delivery.batch import default_of
from mlgates.delivery.refusals import translate_sdk_errors

_MODEL = re.compile(r"(?:/models/|^azureml:|^)(?P<name>[^/:]+)(?:/versions/|:)(?P<version>[^/:]+)$")
"""How a deployment names its model: by its id in the workspace, or as it was written, when the SDK cuts `azureml:`."""


@dataclass(frozen=True, slots=True)
class OnlineServing:
    """An online endpoint and its deployments, by name."""

    endpoint: OnlineEndpoint
    deployments: Mapping[str, OnlineDeployment]

    @property
    def name(self) -> str:
        """The endpoint's name in the workspace."""
        return str(self.endpoint.name)

    @property
    def shares(self) -> Mapping[str, int]:
        """Percent of the traffic, for each deployment that has any; the largest first."""
        shares = {str(name): int(share) for name, share in (self.endpoint.traffic or {}).items() if share}
        return dict(sorted(shares.items(), key=lambda each: -each[1]))


@dataclass(frozen=True, slots=True)
class BatchServing:
    """A batch endpoint and its deployments, by name."""

    endpoint: BatchEndpoint
    deployments: Mapping[str, BatchDeployment]

    @property
    def name(self) -> str:
        """The endpoint's name in the workspace."""
        return str(self.endpoint.name)

    @property
    def default(self) -> str | None:
        """The deployment that scores when none is named."""
        return default_of(self.endpoint)


def look_online(client: MLClient, name: str) -> OnlineServing:
    """Look at an online endpoint. Raises `AssetMissing` when it is not there."""
    with translate_sdk_errors(f"look at online endpoint {name}"):
        endpoint = client.online_endpoints.get(name)
        return OnlineServing(endpoint, {str(each.name): each for each in client.online_deployments.list(name)})


def look_batch(client: MLClient, name: str) -> BatchServing:
    """Look at a batch endpoint. Raises `AssetMissing` when it is not there."""
    with translate_sdk_errors(f"look at batch endpoint {name}"):
        endpoint = client.batch_endpoints.get(name)
        return BatchServing(endpoint, {str(each.name): each for each in client.batch_deployments.list(name)})


def served_model(deployment: OnlineDeployment | BatchDeployment) -> AssetVersion:
    """Return the registered model that a deployment serves, without its tags. Raises `AssetMissing` for another."""
    found = _MODEL.search(str(deployment.model))
    if found is None:
        raise AssetMissing(f"deployment {deployment.name} serves {deployment.model}: no version of a registered model")
    return AssetVersion(found["name"], found["version"], created=False)
