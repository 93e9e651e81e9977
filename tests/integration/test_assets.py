"""Environment and data: registered once for one content, and tied to it by a checksum."""

import pytest
from azure.ai.ml import MLClient

from mlgates import Lineage, Settings, register_data, register_environment


def split(reference: str) -> tuple[str, str]:
    name, _, version = reference.partition(":")
    return name, version


def test_the_environment_of_the_model_is_there(workspace: MLClient, settings: Settings, lineage: Lineage) -> None:
    name, version = split(lineage.environment)
    environment = workspace.environments.get(name, version)
    assert name == settings.training_environment_name
    assert environment.image
    assert "mlflow" in str(environment.conda_file)


def test_the_data_of_the_model_is_there_with_its_checksum(
    workspace: MLClient, settings: Settings, lineage: Lineage
) -> None:
    name, version = split(lineage.data)
    data = workspace.data.get(name, version)
    assert name == settings.training_dataset_name
    assert data.tags["sha256"] == lineage.data_sha256


def test_the_data_names_its_origin(workspace: MLClient, lineage: Lineage) -> None:
    data = workspace.data.get(*split(lineage.data))
    assert data.tags["origin"] == lineage.data_origin


@pytest.fixture
def own(own_workspace: bool) -> None:
    if not own_workspace:
        pytest.skip("changes the workspace: only on one of this run's own (without --env)")


@pytest.mark.usefixtures("own", "candidate")
def test_the_same_environment_is_not_registered_twice(workspace: MLClient, settings: Settings) -> None:
    assert not register_environment(workspace, settings.project, settings.training_environment_name).created


@pytest.mark.usefixtures("own", "candidate")
def test_the_same_data_is_not_registered_twice(workspace: MLClient, settings: Settings) -> None:
    assert not register_data(workspace, settings.project, settings.training_dataset_name).created
