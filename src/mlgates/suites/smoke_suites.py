"""The smoke suites: live endpoints, asked as any caller asks them, and left as they are."""

import json
import statistics
from typing import TYPE_CHECKING

import pytest

from mlgates.core.values import AssetVersion
from mlgates.endpoint_client import EndpointClient, ScoringRequest, ask
from mlgates.pytest_plugin.workspace_fixtures import without_traceback

if TYPE_CHECKING:  # azure-ai-ml is loaded by the fixtures, when there is something to look at
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import BatchDeployment

    from mlgates.config.settings import Settings
    from mlgates.delivery.operations import LiveBatchEndpoint, LiveOnlineEndpoint

TIMED = 5
"""Requests of which the median counts: one slow answer wakes nobody at night."""


class ReleasedFixtures:
    """What is meant to serve."""

    @pytest.fixture(scope="class")
    @classmethod
    def released(cls, mlgates_delivered: "MLClient", mlgates_settings: "Settings") -> AssetVersion:
        """The model version that is meant to serve."""
        from mlgates.delivery.models import released_version  # noqa: PLC0415

        with without_traceback():
            return released_version(mlgates_delivered, mlgates_settings)


class OnlineSmokeSuite(ReleasedFixtures):
    """The online endpoint answers, in time, by deployments that are up and serve the released version."""

    @pytest.fixture(scope="class")
    @classmethod
    def sample(cls, mlgates_settings: "Settings") -> ScoringRequest:
        """The request that the project keeps for this."""
        from mlgates.delivery.online import sample_request  # noqa: PLC0415

        with without_traceback():
            return sample_request(mlgates_settings)

    def test_it_answers_the_sample_with_a_prediction_a_row(
        self, mlgates_scorer: EndpointClient, sample: ScoringRequest
    ) -> None:
        """No row of the sample is lost, and none refused."""
        asked = json.loads(sample.body)["input_data"]
        rows = asked["data"] if isinstance(asked, dict) and "data" in asked else asked
        answer = ask(mlgates_scorer, sample)
        assert answer.status == 200, answer.text
        predictions = answer.json()
        assert isinstance(predictions, list)
        assert len(predictions) == len(rows)

    def test_its_median_answer_comes_within_the_limit(
        self, mlgates_scorer: EndpointClient, sample: ScoringRequest, mlgates_settings: "Settings"
    ) -> None:
        """ONLINE_LATENCY_LIMIT_MS, seen from where the suite runs."""
        first = ask(mlgates_scorer, sample)  # opens the connection, and is not timed
        assert first.status == 200, first.text
        taken = statistics.median([_milliseconds(mlgates_scorer, sample) for _ in range(TIMED)])
        limit = int(mlgates_settings.online_latency_limit_ms)
        assert taken <= limit, f"{taken:.0f} ms, ONLINE_LATENCY_LIMIT_MS is {limit}"

    def test_its_traffic_adds_up_to_100(self, mlgates_online_endpoint: "LiveOnlineEndpoint") -> None:
        """Every request goes somewhere."""
        traffic = dict(mlgates_online_endpoint.endpoint.traffic or {})
        assert sum(mlgates_online_endpoint.shares.values()) == 100, f"traffic {traffic}"

    def test_it_is_up(self, mlgates_online_endpoint: "LiveOnlineEndpoint") -> None:
        """Its last change succeeded."""
        from mlgates.delivery.operations import state_of  # noqa: PLC0415

        assert state_of(mlgates_online_endpoint.endpoint) == "Succeeded"

    def test_every_deployment_with_traffic_is_up(self, mlgates_online_endpoint: "LiveOnlineEndpoint") -> None:
        """No share of the requests goes to one that is broken."""
        from mlgates.delivery.operations import state_of  # noqa: PLC0415

        serving = mlgates_online_endpoint
        states = {name: state_of(serving.deployments[name]) for name in serving.shares}
        assert set(states.values()) <= {"Succeeded"}, states

    def test_every_deployment_with_traffic_serves_the_released_version(
        self, mlgates_online_endpoint: "LiveOnlineEndpoint", released: AssetVersion
    ) -> None:
        """No other version answers anybody."""
        from mlgates.delivery.operations import served_model  # noqa: PLC0415

        serving = mlgates_online_endpoint
        models = {name: str(served_model(serving.deployments[name])) for name in serving.shares}
        assert set(models.values()) <= {str(released)}, models


class BatchSmokeSuite(ReleasedFixtures):
    """The batch endpoint has a default deployment that is up and scores with the released version."""

    @pytest.fixture
    def default(self, mlgates_batch_endpoint: "LiveBatchEndpoint") -> "BatchDeployment":
        """The deployment that scores when none is named."""
        found = mlgates_batch_endpoint.deployments.get(mlgates_batch_endpoint.default or "")
        if found is None:
            pytest.fail(f"batch endpoint {mlgates_batch_endpoint.name} has no default deployment: run 'mlgates deploy'")
        return found

    def test_it_is_up(self, mlgates_batch_endpoint: "LiveBatchEndpoint") -> None:
        """Its last change succeeded."""
        from mlgates.delivery.operations import state_of  # noqa: PLC0415

        assert state_of(mlgates_batch_endpoint.endpoint) == "Succeeded"

    def test_its_default_deployment_is_up(self, default: "BatchDeployment") -> None:
        """Jobs that name no deployment are scored."""
        from mlgates.delivery.operations import state_of  # noqa: PLC0415

        assert state_of(default) == "Succeeded"

    def test_its_default_deployment_scores_with_the_released_version(
        self, default: "BatchDeployment", released: AssetVersion
    ) -> None:
        """Batch and online answer by one model."""
        from mlgates.delivery.operations import served_model  # noqa: PLC0415

        assert str(served_model(default)) == str(released)


def _milliseconds(scorer: EndpointClient, request: ScoringRequest) -> float:
    ask(scorer, request)
    assert scorer.last is not None
    return scorer.last.seconds * 1000
