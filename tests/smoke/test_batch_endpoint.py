"""The batch endpoint has a default deployment that is up and scores with the released version."""

import pytest
from azure.ai.ml.entities import BatchDeployment

from mlgates import AssetVersion, LiveBatchEndpoint, served_model, state_of


@pytest.fixture
def default(mlgates_batch_endpoint: LiveBatchEndpoint) -> BatchDeployment:
    """The deployment that scores when none is named."""
    found = mlgates_batch_endpoint.deployments.get(mlgates_batch_endpoint.default or "")
    if found is None:
        pytest.fail(f"batch endpoint {mlgates_batch_endpoint.name} has no default deployment: run 'mlgates deploy'")
    return found


def test_it_is_up(mlgates_batch_endpoint: LiveBatchEndpoint) -> None:
    assert state_of(mlgates_batch_endpoint.endpoint) == "Succeeded"


def test_its_default_deployment_is_up(default: BatchDeployment) -> None:
    assert state_of(default) == "Succeeded"


def test_its_default_deployment_scores_with_the_released_version(
    default: BatchDeployment, released: AssetVersion
) -> None:
    assert str(served_model(default)) == str(released)
