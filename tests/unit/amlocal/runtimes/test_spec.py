"""Environment versions as values."""

import pytest

from amlocal.runtimes import EnvironmentSpec


@pytest.mark.parametrize(
    ("name", "curated"),
    [
        ("AzureML-sklearn-1.0-ubuntu20.04-py38-cpu", True),
        ("azureml://registries/azureml/environments/sklearn-1.5/versions/8", True),
        ("train-env", False),
        ("my-AzureML-env", False),
    ],
)
def test_curated_environments_are_known_by_name(name: str, curated: bool) -> None:
    assert EnvironmentSpec(name=name).is_curated is curated


def test_messages_name_the_version_where_there_is_one() -> None:
    assert [EnvironmentSpec(name="e", version=version).label for version in ("3", "")] == ["e:3", "e"]
