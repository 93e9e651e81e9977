"""Azure's limits of run history, one by one: the last that passes, the first that does not."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import BadRequest
from amlocal.core.limits import OverLimit
from amlocal.tracking.write_limits import azure_body, check_write


@dataclass(frozen=True)
class Held:
    """A run that holds these many parameters, metrics and tags."""

    count: int = 0

    def _names(self) -> Collection[str]:
        return {f"held{number}" for number in range(self.count)}

    def parameters(self, _: str) -> Collection[str]:
        return self._names()

    def metrics(self, _: str) -> Collection[str]:
        return self._names()

    def tags(self, _: str) -> Collection[str]:
        return {*self._names(), "mlflow.user", "mlflow.source.name"}

    def experiment_tags(self, _: str) -> Collection[str]:
        return self._names()


def entries(count: int, key: str = "k", value: str = "v") -> list[dict[str, str]]:
    return [{"key": f"{key}{number}", "value": value} for number in range(count)]


def refusal(path: str, body: Mapping[str, Any], held: int = 0) -> str | None:
    try:
        check_write(path, {"run_id": "r", **body}, Held(held))
    except OverLimit as error:
        return error.message
    return None


# path, body of a size, the largest that passes, the field that is named
SIZES: dict[str, tuple[str, Callable[[int], dict[str, Any]], int, str]] = {
    "parameters of a batch": ("runs/log-batch", lambda n: {"params": entries(n)}, 200, "Parameters"),
    "metrics of a batch": ("runs/log-batch", lambda n: {"metrics": entries(n)}, 50, "MetricNames"),
    "values of a metric": ("runs/log-batch", lambda n: {"metrics": [{"key": "m"}] * n}, 250, "MetricV2Dto.Value/Count"),
    "tags of a batch": ("runs/log-batch", lambda n: {"tags": entries(n)}, 50, "RunDto.Tags/Count"),
    "tags of a new run": ("runs/create", lambda n: {"tags": entries(n)}, 50, "RunDto.Tags/Count"),
    "tags of a new experiment": ("experiments/create", lambda n: {"tags": entries(n)}, 50, "ExperimentDto.Tags/Count"),
    "data sets": ("runs/log-inputs", lambda n: {"datasets": [{}] * n}, 200, "RunDto.InputDatasets/Count"),
    "a run's name": ("runs/create", lambda n: {"run_name": "x" * n}, 256, "RunDto.DisplayName/Length"),
    "a run's new name": ("runs/update", lambda n: {"runName": "x" * n}, 256, "RunDto.DisplayName/Length"),
    "a parameter's name": (
        "runs/log-parameter", lambda n: {"key": "x" * n, "value": "v"}, 255, "Parameters.Key/Length",
    ),
    "a parameter's value": (
        "runs/log-parameter", lambda n: {"key": "k", "value": "x" * n}, 500, "Parameters.Value/Length",
    ),
    "a metric's name": ("runs/log-metric", lambda n: {"key": "x" * n, "value": 1}, 255, "MetricV2Dto.Name/Length"),
    "a tag's name": ("runs/set-tag", lambda n: {"key": "x" * n, "value": "v"}, 100, "RunDto.Tags.Key/Length"),
    "a tag's value": ("runs/set-tag", lambda n: {"key": "k", "value": "x" * n}, 1000, "RunDto.Tags.Value/Length"),
    "a run's description": (
        "runs/set-tag", lambda n: {"key": "mlflow.note.content", "value": "x" * n}, 5000, "RunDto.Description/Length",
    ),
    "the name of an experiment's tag": (
        "experiments/set-experiment-tag",
        lambda n: {"key": "x" * n, "value": "v"},
        250,
        "ExperimentDto.Tags.Key/Length",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SIZES)
def test_the_limit_passes_and_one_more_is_refused(case: str) -> None:
    path, body, limit, field = SIZES[case]
    assert refusal(path, body(limit)) is None
    message = refusal(path, body(limit + 1))
    assert message
    assert f"FieldName={field}, Limit={limit}, Size={limit + 1}. See https://aka.ms/azure-machine-learning" in message


@pytest.mark.parametrize(("path", "key"), [("experiments/create", "name"), ("experiments/update", "newName")])
def test_an_experiment_has_a_name_that_run_history_takes(path: str, key: str) -> None:
    for name in ("x" * 256, "diabetes-1_2", "Default"):
        check_write(path, {key: name}, Held())
    for name in ("x" * 257, "a b", "/Users/me/x", "-a", "é"):
        with pytest.raises(BadRequest, match="Experiment name must be 1-256 characters, start with a letter"):
            check_write(path, {key: name}, Held())


@pytest.mark.parametrize(
    ("path", "more", "limit"),
    [
        ("runs/log-parameter", {"key": "k", "value": "v"}, 200),
        ("runs/log-batch", {"params": entries(1)}, 200),
        ("runs/log-metric", {"key": "k", "value": 1}, 50),
        ("runs/log-batch", {"metrics": entries(1)}, 50),
        ("runs/set-tag", {"key": "k", "value": "v"}, 50),
        ("runs/log-batch", {"tags": entries(1)}, 50),
        ("experiments/set-experiment-tag", {"key": "k", "value": "v"}, 50),
    ],
)
def test_what_a_run_holds_already_counts(path: str, more: dict[str, Any], limit: int) -> None:
    assert refusal(path, more, held=limit - 1) is None
    assert f"Limit={limit}, Size={limit + 1}" in str(refusal(path, more, held=limit))


@given(st.integers(0, 200), st.integers(1, 200))
def test_what_is_written_again_does_not_count_twice(held: int, again: int) -> None:
    body = {"params": entries(min(held, again), "held")}
    assert refusal("runs/log-batch", body, held) is None


def test_mlflows_own_tags_are_no_tags_of_run_history() -> None:
    tags = [*entries(60, "mlflow."), {"key": "mlflow.log-model.history", "value": "x" * 7000}]
    assert refusal("runs/log-batch", {"tags": tags}, held=50) is None


@given(
    st.sampled_from(["runs/log-batch", "runs/create", "runs/log-parameter", "experiments/create", "runs/search"]),
    st.dictionaries(
        st.sampled_from(["run_id", "params", "metrics", "tags", "key", "value", "run_name", "datasets"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "value"]), inner),
        ),
    ),
)
def test_nonsense_is_left_for_mlflow_to_refuse(path: str, body: dict[str, Any]) -> None:
    assert refusal(path, body) is None


def test_a_refusal_reads_as_azures() -> None:
    body = azure_body(OverLimit("Parameters", 200, 210))
    assert "message" not in body  # MLflow's client prints all of a body without one
    assert body["Error"]["Code"] == "ValidationError"
    assert body["Error"]["Message"].startswith("A field of the entity is over the size limit. FieldName=Parameters, ")
    assert body["error_code"] == "INVALID_PARAMETER_VALUE"
