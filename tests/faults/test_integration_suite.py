"""The integration suite notices a batch that loses rows and an endpoint that lets everybody in."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import CodeConfiguration, Environment, ModelBatchDeployment, ModelBatchDeploymentSettings

from mlgates.config.settings import Settings
from mlgates.core.progress import Silent
from mlgates.core.values import AssetVersion, EndpointKind
from mlgates.delivery.endpoints import deploy
from mlgates.delivery.operations import LiveBatchEndpoint
from mlgates.endpoint_client import Address
from tests.faults.conftest import RunSuite, failed
from tests.faults.open_door import open_door

ONLINE = "integration/test_online_endpoint.py::TestOnlineEndpoint"
BATCH = "integration/test_batch_endpoint.py::TestBatchEndpoint"


class AskedAt:
    """A plugin in whose session the online endpoint is asked at another address."""

    def __init__(self, address: Address) -> None:
        @pytest.fixture(scope="session")
        def mlgates_online_address() -> Address:
            return address

        self._fixtures = ModuleType("asked_at")
        vars(self._fixtures)["mlgates_online_address"] = mlgates_online_address

    def pytest_configure(self, config: pytest.Config) -> None:
        # Not before: of two plugins' fixtures of one name, the one that was registered later is taken.
        config.pluginmanager.register(self._fixtures)


@pytest.fixture
def rows_dropped(
    mlgates_workspace: MLClient,
    mlgates_settings: Settings,
    mlgates_batch_endpoint: LiveBatchEndpoint,
    mlgates_candidate: AssetVersion,
) -> Iterator[None]:
    """The deployment scores with a script that forgets the last row of each file."""
    environment = mlgates_workspace.environments.create_or_update(Environment(name="dropping", image="ubuntu:22.04"))
    planted = ModelBatchDeployment(
        name=mlgates_settings.batch_deployment_name,
        endpoint_name=mlgates_batch_endpoint.name,
        model=mlgates_candidate.reference,
        environment=f"{environment.name}:{environment.version}",
        code_configuration=CodeConfiguration(code=str(Path(__file__).with_name("dropping")), scoring_script="score.py"),
        compute="cpu-cluster",
        # As declared: what a deployment has is looked at too, and is not the fault here.
        settings=ModelBatchDeploymentSettings(mini_batch_size=10, instance_count=1, max_concurrency_per_instance=2),
    )
    mlgates_workspace.batch_deployments.begin_create_or_update(planted).result()
    yield
    deploy(
        mlgates_workspace,
        mlgates_settings,
        [EndpointKind.BATCH],
        version=mlgates_candidate.version,
        smoke_test=False,
        progress=Silent(),
    )


@pytest.mark.usefixtures("rows_dropped")
def test_it_notices_rows_dropped_by_batch(run_suite: RunSuite) -> None:
    assert failed(run_suite(BATCH)) == {
        f"{BATCH}::test_a_job_gives_as_many_rows_as_it_was_given",
        f"{BATCH}::test_predictions_are_the_registered_models_own",
    }


def test_it_notices_a_key_that_is_not_checked(run_suite: RunSuite, mlgates_online_address: Address) -> None:
    with open_door(mlgates_online_address) as address:
        assert failed(run_suite(ONLINE, plugins=[AskedAt(address)])) == {
            f"{ONLINE}::test_a_caller_without_the_key_is_refused[no key]",
            f"{ONLINE}::test_a_caller_without_the_key_is_refused[a wrong key]",
        }
