"""The live endpoints of an environment: asked as any caller asks them, and left as they are."""

from typing import TYPE_CHECKING

import pytest

from mlgates import AssetVersion, ScoringRequest, Settings, without_traceback

if TYPE_CHECKING:  # pytest loads this file before it takes the warnings that importing it makes for known
    from azure.ai.ml import MLClient


@pytest.fixture(scope="session")
def sample(mlgates_settings: Settings) -> ScoringRequest:
    """The request that the project keeps for this."""
    from mlgates import sample_request  # noqa: PLC0415

    with without_traceback():
        return sample_request(mlgates_settings)


@pytest.fixture(scope="session")
def released(mlgates_delivered: "MLClient", mlgates_settings: Settings) -> AssetVersion:
    """The model version that is meant to serve."""
    from mlgates import released_version  # noqa: PLC0415

    with without_traceback():
        return released_version(mlgates_delivered, mlgates_settings)
