"""The online endpoint answers, in time, by deployments that are up and serve the released version."""

import json
import statistics

from mlgates import (
    AssetVersion,
    EndpointClient,
    LiveOnlineEndpoint,
    ScoringRequest,
    Settings,
    ask,
    served_model,
    state_of,
)

TIMED = 5
"""Requests of which the median counts: one slow answer wakes nobody at night."""


def test_it_answers_the_sample_with_a_prediction_a_row(mlgates_scorer: EndpointClient, sample: ScoringRequest) -> None:
    rows = json.loads(sample.body)["input_data"]["data"]
    answer = ask(mlgates_scorer, sample)
    assert answer.status == 200, answer.text
    predictions = answer.json()
    assert isinstance(predictions, list)
    assert len(predictions) == len(rows)


def test_its_median_answer_comes_within_the_limit(
    mlgates_scorer: EndpointClient, sample: ScoringRequest, mlgates_settings: Settings
) -> None:
    first = ask(mlgates_scorer, sample)  # opens the connection, and is not timed
    assert first.status == 200, first.text
    taken = statistics.median([milliseconds(mlgates_scorer, sample) for _ in range(TIMED)])
    limit = int(mlgates_settings.online_latency_limit_ms)
    assert taken <= limit, f"{taken:.0f} ms, ONLINE_LATENCY_LIMIT_MS is {limit}"


def test_its_traffic_adds_up_to_100(mlgates_online_endpoint: LiveOnlineEndpoint) -> None:
    assert sum(mlgates_online_endpoint.shares.values()) == 100, (
        f"traffic {dict(mlgates_online_endpoint.endpoint.traffic or {})}"
    )


def test_it_is_up(mlgates_online_endpoint: LiveOnlineEndpoint) -> None:
    assert state_of(mlgates_online_endpoint.endpoint) == "Succeeded"


def test_every_deployment_with_traffic_is_up(mlgates_online_endpoint: LiveOnlineEndpoint) -> None:
    states = {name: state_of(mlgates_online_endpoint.deployments[name]) for name in mlgates_online_endpoint.shares}
    assert set(states.values()) <= {"Succeeded"}, states


def test_every_deployment_with_traffic_serves_the_released_version(
    mlgates_online_endpoint: LiveOnlineEndpoint, released: AssetVersion
) -> None:
    serving = {
        name: str(served_model(mlgates_online_endpoint.deployments[name])) for name in mlgates_online_endpoint.shares
    }
    assert set(serving.values()) <= {str(released)}, serving


def milliseconds(scorer: EndpointClient, request: ScoringRequest) -> float:
    ask(scorer, request)
    assert scorer.last is not None
    return scorer.last.seconds * 1000
