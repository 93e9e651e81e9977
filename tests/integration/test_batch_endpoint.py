"""The batch endpoint: as declared, and a job of it from two files to a prediction a row, the model's own."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.ai.ml import MLClient
from azure.ai.ml.entities import BatchDeployment

from mlgates import (
    AssetVersion,
    Batch,
    Job,
    LiveBatchEndpoint,
    ModelContract,
    PyfuncScorer,
    Settings,
    Silent,
    download_predictions,
    invoke_batch,
    poll_seconds,
    served_model,
    state_of,
    without_traceback,
)

# MLflow says so of its own type hints, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")

Rows = Sequence[tuple[float, ...]]


@dataclass(frozen=True)
class Scored:
    """A batch job that completed: what it was given and what it wrote, by file."""

    job: Job
    given: Mapping[str, Rows]
    written: Mapping[str, Sequence[tuple[int, str]]]
    """Row number and prediction, in the order of the output."""


@pytest.fixture(scope="module")
def deployment(mlgates_batch_endpoint: LiveBatchEndpoint, mlgates_settings: Settings) -> BatchDeployment:
    """The deployment that the project declares."""
    return mlgates_batch_endpoint.deployments[mlgates_settings.batch_deployment_name]


@pytest.fixture(scope="module")
def scored(
    mlgates_workspace: MLClient,
    mlgates_settings: Settings,
    mlgates_batch_endpoint: LiveBatchEndpoint,
    contract: ModelContract,
    rows: Rows,
    tmp_path_factory: pytest.TempPathFactory,
) -> Scored:
    given = {"first.csv": rows[:190], "second.csv": rows[190:]}
    folder, output = tmp_path_factory.mktemp("given"), tmp_path_factory.mktemp("written")
    for name, some in given.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([contract.names, *some])
    poll_s = poll_seconds(mlgates_settings)
    with without_traceback():
        job = invoke_batch(
            mlgates_workspace, mlgates_batch_endpoint.name, str(folder), "uri_folder", poll_s=poll_s, progress=Silent()
        )
        (predictions,) = download_predictions(mlgates_workspace, job.name, output)
    return Scored(job, given, read_predictions(predictions))


def read_predictions(file: Path) -> Mapping[str, Sequence[tuple[int, str]]]:
    """Read `row,prediction,file`, as Azure ML's driver for MLflow models writes it, without a header."""
    written: dict[str, list[tuple[int, str]]] = {}
    with file.open(encoding="utf-8", newline="") as stream:
        for row, prediction, name in csv.reader(stream):
            written.setdefault(Path(name).name, []).append((int(row), prediction))
    return written


def test_the_endpoint_is_up(mlgates_batch_endpoint: LiveBatchEndpoint) -> None:
    assert state_of(mlgates_batch_endpoint.endpoint) == "Succeeded"


def test_the_declared_deployment_is_the_default(
    mlgates_batch_endpoint: LiveBatchEndpoint, mlgates_settings: Settings
) -> None:
    assert mlgates_batch_endpoint.default == mlgates_settings.batch_deployment_name


def test_the_deployment_is_up(deployment: BatchDeployment) -> None:
    assert state_of(deployment) == "Succeeded"


@pytest.mark.parametrize("key", ["mini_batch_size", "max_concurrency_per_instance", "output_file_name"])
def test_the_deployment_has_what_is_declared(deployment: BatchDeployment, mlgates_settings: Settings, key: str) -> None:
    declared: dict[str, Any] = yaml.safe_load(
        (mlgates_settings.project.batch / "batch-deployment.yml").read_text("utf-8")
    )
    assert getattr(deployment, key) == declared[key]


def test_the_deployment_scores_with_the_candidate(deployment: BatchDeployment, mlgates_candidate: AssetVersion) -> None:
    assert str(served_model(deployment)) == str(mlgates_candidate)


def test_a_job_gives_as_many_rows_as_it_was_given(scored: Scored) -> None:
    counted = {name: len(written) for name, written in scored.written.items()}
    assert counted == {name: len(given) for name, given in scored.given.items()}, scored.job.name


def test_a_job_keeps_the_order_of_rows(scored: Scored) -> None:
    numbers = {name: [row for row, _ in written] for name, written in scored.written.items()}
    assert numbers == {name: sorted(rows) for name, rows in numbers.items()}, scored.job.name


def test_predictions_are_the_registered_models_own(
    scored: Scored, contract: ModelContract, in_process: PyfuncScorer
) -> None:
    predicted = {name: [prediction for _, prediction in written] for name, written in scored.written.items()}
    expected = {name: own(in_process, contract, given) for name, given in scored.given.items()}
    assert predicted == expected, scored.job.name


def own(model: PyfuncScorer, contract: ModelContract, rows: Rows) -> list[str]:
    predictions = model.predict(Batch(contract.names, tuple(rows)))
    assert isinstance(predictions, list)
    return [str(prediction) for prediction in predictions]
