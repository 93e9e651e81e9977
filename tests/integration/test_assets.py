"""Environment and data: registered once for one content, and tied to it by a checksum."""

import pytest
from azure.ai.ml import MLClient

from mlgates import Lineage, Settings, register_data, register_environment


def split(reference: str) -> tuple[str, str]:
    name, _, version = reference.partition(":")
    return name, version


def test_the_environment_of_the_model_is_there(
    mlgates_workspace: MLClient, mlgates_settings: Settings, mlgates_lineage: Lineage
) -> None:
    name, version = split(mlgates_lineage.environment)
    environment = mlgates_workspace.environments.get(name, version)
    assert name == mlgates_settings.training_environment_name
    assert environment.image
    assert "mlflow" in str(environment.conda_file)


def test_the_data_of_the_model_is_there_with_its_checksum(
    mlgates_workspace: MLClient, mlgates_settings: Settings, mlgates_lineage: Lineage
) -> None:
    name, version = split(mlgates_lineage.data)
    data = mlgates_workspace.data.get(name, version)
    assert name == mlgates_settings.training_dataset_name
    assert data.tags["sha256"] == mlgates_lineage.data_sha256


def test_the_data_names_its_origin(mlgates_workspace: MLClient, mlgates_lineage: Lineage) -> None:
    data = mlgates_workspace.data.get(*split(mlgates_lineage.data))
    assert data.tags["origin"] == mlgates_lineage.data_origin


@pytest.fixture
def own(mlgates_own_workspace: bool) -> None:
    if not mlgates_own_workspace:
        pytest.skip("changes the workspace: only on one of this run's own (without --env)")


@pytest.mark.usefixtures("own", "mlgates_candidate")
def test_the_same_environment_is_not_registered_twice(mlgates_workspace: MLClient, mlgates_settings: Settings) -> None:
    assert not register_environment(
        mlgates_workspace, mlgates_settings.project, mlgates_settings.training_environment_name
    ).created


@pytest.mark.usefixtures("own", "mlgates_candidate")
def test_the_same_data_is_not_registered_twice(mlgates_workspace: MLClient, mlgates_settings: Settings) -> None:
    assert not register_data(
        mlgates_workspace, mlgates_settings.project, mlgates_settings.training_dataset_name
    ).created
