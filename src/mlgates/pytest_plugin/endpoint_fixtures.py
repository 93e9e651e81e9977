"""What is under test in the workspace: the model version, the endpoints that serve it, and a way to ask them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import pytest

from mlgates.core.errors import AssetMissing
from mlgates.pytest_plugin.failure_sections import UnderTest
from mlgates.pytest_plugin.workspace_fixtures import without_traceback

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlgates.config.settings import Settings
    from mlgates.core.lineage import Lineage
    from mlgates.core.values import AssetVersion
    from mlgates.delivery.operations import LiveBatchEndpoint, LiveOnlineEndpoint
    from mlgates.endpoint_client import Address, EndpointClient

EndpointAt: TypeAlias = "Callable[[Address], EndpointClient]"


@pytest.fixture(scope="session")
def mlgates_delivered(
    mlgates_workspace: "MLClient", mlgates_settings: "Settings", mlgates_own_workspace: bool
) -> "MLClient":
    """The workspace with a model and both endpoints: brought about on the run's own, taken as it is on a named one."""
    if mlgates_own_workspace:
        with without_traceback():
            _deliver(mlgates_workspace, mlgates_settings)
    return mlgates_workspace


@pytest.fixture(scope="session")
def mlgates_candidate(
    mlgates_delivered: "MLClient", mlgates_settings: "Settings", pytestconfig: pytest.Config
) -> "AssetVersion":
    """The model version under test: the newest, or that of `--mlgates-model-version`."""
    from mlgates.delivery.models import find_model  # noqa: PLC0415

    with without_traceback():
        found = find_model(mlgates_delivered, mlgates_settings, pytestconfig.getoption("--mlgates-model-version"))
    UnderTest.of(pytestconfig).candidate = found
    return found


@pytest.fixture(scope="session")
def mlgates_lineage(mlgates_candidate: "AssetVersion") -> "Lineage":
    """What the candidate was made from."""
    from mlgates.core.lineage import Lineage  # noqa: PLC0415

    return Lineage.from_tags(mlgates_candidate.tags)


@pytest.fixture(scope="session")
def mlgates_online_endpoint(
    mlgates_delivered: "MLClient", mlgates_settings: "Settings", pytestconfig: pytest.Config
) -> "LiveOnlineEndpoint":
    """The online endpoint as the workspace tells of it, with its deployments."""
    from mlgates.delivery.operations import get_online_endpoint  # noqa: PLC0415

    with without_traceback(), _or_deploy(mlgates_settings, mlgates_settings.online_endpoint):
        found = get_online_endpoint(mlgates_delivered, mlgates_settings.online_endpoint)
    UnderTest.of(pytestconfig).online = found
    return found


@pytest.fixture(scope="session")
def mlgates_batch_endpoint(
    mlgates_delivered: "MLClient", mlgates_settings: "Settings", pytestconfig: pytest.Config
) -> "LiveBatchEndpoint":
    """The batch endpoint as the workspace tells of it, with its deployments."""
    from mlgates.delivery.operations import get_batch_endpoint  # noqa: PLC0415

    with without_traceback(), _or_deploy(mlgates_settings, mlgates_settings.batch_endpoint):
        found = get_batch_endpoint(mlgates_delivered, mlgates_settings.batch_endpoint)
    UnderTest.of(pytestconfig).batch = found
    return found


@pytest.fixture(scope="session")
def mlgates_online_address(mlgates_delivered: "MLClient", mlgates_online_endpoint: "LiveOnlineEndpoint") -> "Address":
    """Where the online endpoint is asked, with a credential that it accepts."""
    from mlgates.delivery.online import address  # noqa: PLC0415

    with without_traceback():
        return address(mlgates_delivered, mlgates_online_endpoint.name)


@pytest.fixture
def mlgates_endpoint_at(pytestconfig: pytest.Config) -> Iterator[EndpointAt]:
    """Opens what asks an address; what it asked last is told when the test fails."""
    from mlgates.endpoint_client import Address, EndpointClient  # noqa: PLC0415

    asked = UnderTest.of(pytestconfig).asked

    def open_endpoint(address: Address) -> EndpointClient:
        asked.append(EndpointClient(address))
        return asked[-1]

    yield open_endpoint
    while asked:
        asked.pop().close()


@pytest.fixture
def mlgates_scorer(mlgates_endpoint_at: EndpointAt, mlgates_online_address: "Address") -> "EndpointClient":
    """What asks the online endpoint over HTTPS, with the key."""
    return mlgates_endpoint_at(mlgates_online_address)


def _deliver(client: "MLClient", settings: "Settings") -> None:
    from mlgates.core.checkout import source_or_unknown  # noqa: PLC0415
    from mlgates.core.progress import Silent  # noqa: PLC0415
    from mlgates.core.values import EndpointKind  # noqa: PLC0415
    from mlgates.delivery.endpoints import deploy  # noqa: PLC0415
    from mlgates.delivery.models import find_model  # noqa: PLC0415
    from mlgates.delivery.training import TrainingRequest, train_and_register  # noqa: PLC0415

    try:
        find_model(client, settings, None)
    except AssetMissing:
        request = TrainingRequest(source_or_unknown(settings.project.root, os.environ))
        train_and_register(client, settings, request, progress=Silent())
    deploy(client, settings, tuple(EndpointKind), version=None, smoke_test=False, progress=Silent())


@contextmanager
def _or_deploy(settings: "Settings", endpoint: str) -> Iterator[None]:
    """Say how an endpoint that is missing comes to be."""
    try:
        yield
    except AssetMissing as error:
        environment = settings.environment
        raise AssetMissing(
            f"{environment} has no endpoint {endpoint}: run 'mlgates deploy --env {environment}'"
        ) from error
