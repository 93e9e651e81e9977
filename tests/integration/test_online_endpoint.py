"""The online endpoint: as declared, serving the candidate, for those who have the key, with the model's own answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from azure.ai.ml import MLClient
from azure.ai.ml.entities import OnlineDeployment

from mlgates import (
    Address,
    AssetVersion,
    Batch,
    EndpointClient,
    Lineage,
    LiveOnlineEndpoint,
    ModelContract,
    PyfuncScorer,
    ScoringRequest,
    Settings,
    ask,
    properties,
    sample_request,
    served_formats,
    served_model,
    state_of,
)

# MLflow says so of its own type hints, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


@pytest.fixture(scope="module")
def deployment(mlgates_online_endpoint: LiveOnlineEndpoint, mlgates_settings: Settings) -> OnlineDeployment:
    """The deployment that the project declares."""
    return mlgates_online_endpoint.deployments[mlgates_settings.online_deployment_name]


@pytest.fixture(scope="module")
def sample(mlgates_settings: Settings) -> ScoringRequest:
    return sample_request(mlgates_settings)


@pytest.fixture(scope="module")
def patients(contract: ModelContract, rows: list[tuple[float, ...]]) -> Batch:
    return Batch(contract.names, tuple(rows[:20]))


def declared(settings: Settings, file: str) -> dict[str, Any]:
    return dict(yaml.safe_load((settings.project.online / file).read_text("utf-8")))


def test_the_endpoint_is_up(mlgates_online_endpoint: LiveOnlineEndpoint) -> None:
    assert state_of(mlgates_online_endpoint.endpoint) == "Succeeded"


def test_the_endpoint_asks_for_what_is_declared(
    mlgates_online_endpoint: LiveOnlineEndpoint, mlgates_settings: Settings
) -> None:
    assert mlgates_online_endpoint.endpoint.auth_mode == declared(mlgates_settings, "online-endpoint.yml")["auth_mode"]


def test_all_traffic_goes_to_the_declared_deployment(
    mlgates_online_endpoint: LiveOnlineEndpoint, mlgates_settings: Settings
) -> None:
    assert dict(mlgates_online_endpoint.shares) == {mlgates_settings.online_deployment_name: 100}


def test_the_deployment_is_up(deployment: OnlineDeployment) -> None:
    assert state_of(deployment) == "Succeeded"


@pytest.mark.parametrize("key", ["instance_type", "instance_count"])
def test_the_deployment_has_what_is_declared(
    deployment: OnlineDeployment, mlgates_settings: Settings, key: str
) -> None:
    assert getattr(deployment, key) == declared(mlgates_settings, "online-deployment.yml")[key]


def test_the_deployment_serves_the_candidate(deployment: OnlineDeployment, mlgates_candidate: AssetVersion) -> None:
    assert str(served_model(deployment)) == str(mlgates_candidate)


def test_what_is_served_leads_back_to_commit_and_data(
    mlgates_workspace: MLClient, deployment: OnlineDeployment
) -> None:
    served = served_model(deployment)
    lineage = Lineage.from_tags(mlgates_workspace.models.get(served.name, served.version).tags)
    name, _, version = lineage.data.partition(":")
    job = mlgates_workspace.jobs.get(lineage.job)
    data = mlgates_workspace.data.get(name, version)
    assert (job.tags["git_commit"], data.tags["sha256"]) == (lineage.git_commit, lineage.data_sha256)


def test_the_deployment_shows_its_log(mlgates_workspace: MLClient, deployment: OnlineDeployment) -> None:
    assert mlgates_workspace.online_deployments.get_logs(deployment.name, deployment.endpoint_name, lines=20).strip()


def test_an_answer_names_the_deployment_that_gave_it(
    mlgates_scorer: EndpointClient, sample: ScoringRequest, mlgates_settings: Settings
) -> None:
    ask(mlgates_scorer, sample)
    assert mlgates_scorer.last is not None
    assert mlgates_scorer.last.deployment == mlgates_settings.online_deployment_name


def test_an_answer_has_an_id_to_look_it_up_by(mlgates_scorer: EndpointClient, sample: ScoringRequest) -> None:
    ask(mlgates_scorer, sample)
    assert mlgates_scorer.last is not None
    assert mlgates_scorer.last.request_id != "unknown"


def test_predictions_are_the_registered_models_own(
    contract: ModelContract, mlgates_scorer: EndpointClient, in_process: PyfuncScorer, patients: Batch
) -> None:
    (form,) = served_formats(contract)
    properties.agrees_with_model(contract, mlgates_scorer, patients, form, in_process.predict)


@pytest.mark.parametrize("credential", ["", "not-the-key"], ids=["no key", "a wrong key"])
def test_a_caller_without_the_key_is_refused(
    mlgates_endpoint_at: Callable[[Address], EndpointClient],
    mlgates_online_address: Address,
    sample: ScoringRequest,
    credential: str,
) -> None:
    stranger = mlgates_endpoint_at(replace(mlgates_online_address, credential=credential))
    assert ask(stranger, sample).status == 401
