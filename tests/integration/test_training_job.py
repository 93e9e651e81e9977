"""The job that made the model: completed, on exact versions, with a log, and tracked as a run of the same name."""

import math
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Job
from mlflow import MlflowClient

from mlgates import Lineage, Settings


def specification(job: Job) -> dict[str, Any]:
    """The job in the words of its YAML file."""
    return dict(job._to_dict() or {})


def inputs_of(job: Job) -> dict[str, Any]:
    return dict(specification(job)["inputs"])


def test_the_job_completed(job: Job) -> None:
    assert job.status == "Completed"


def test_the_job_belongs_to_the_configured_experiment(job: Job, mlgates_settings: Settings) -> None:
    assert job.experiment_name == mlgates_settings.training_experiment_name


def test_the_job_read_the_registered_data(job: Job, mlgates_lineage: Lineage) -> None:
    # The service answers with a reference or with the asset's ARM id, as the job was sent.
    path = str(inputs_of(job)["input"]["path"])
    name, _, version = mlgates_lineage.data.partition(":")
    assert path.removeprefix("azureml:").endswith((mlgates_lineage.data, f"/data/{name}/versions/{version}"))


def test_the_job_ran_in_the_registered_environment(job: Job, mlgates_lineage: Lineage) -> None:
    environment = str(specification(job)["environment"])
    name, _, version = mlgates_lineage.environment.partition(":")
    assert environment.endswith((mlgates_lineage.environment, f"/environments/{name}/versions/{version}"))


def test_the_job_remembers_its_source(job: Job, mlgates_lineage: Lineage) -> None:
    tags = job.tags or {}
    assert (tags["git_commit"], tags["git_dirty"]) == (mlgates_lineage.git_commit, mlgates_lineage.git_dirty)


def test_the_log_can_be_downloaded(mlgates_workspace: MLClient, mlgates_lineage: Lineage, tmp_path: Path) -> None:
    mlgates_workspace.jobs.download(mlgates_lineage.job, download_path=tmp_path)
    (log,) = tmp_path.rglob("user_logs/std_log.txt")
    assert "accuracy" in log.read_text()


def test_the_job_is_a_finished_run_of_the_same_name(tracking: MlflowClient, mlgates_lineage: Lineage) -> None:
    run = tracking.get_run(mlgates_lineage.job)
    assert (run.info.run_id, run.info.status) == (mlgates_lineage.job, "FINISHED")


def test_the_run_belongs_to_the_same_experiment(tracking: MlflowClient, job: Job, mlgates_lineage: Lineage) -> None:
    run = tracking.get_run(mlgates_lineage.job)
    assert tracking.get_experiment(run.info.experiment_id).name == job.experiment_name


def test_the_run_remembers_the_jobs_inputs(tracking: MlflowClient, job: Job, mlgates_lineage: Lineage) -> None:
    params, inputs = tracking.get_run(mlgates_lineage.job).data.params, inputs_of(job)
    assert (params["estimator"], params["seed"]) == (inputs["estimator"], str(inputs["seed"]))


def test_the_run_is_better_than_guessing(tracking: MlflowClient, mlgates_lineage: Lineage) -> None:
    metrics = tracking.get_run(mlgates_lineage.job).data.metrics
    # A third of the patients are diabetic: to call nobody so is right for two thirds. The worst estimator has 0.78.
    assert 0.75 <= metrics["accuracy"] <= 1.0
    assert 0.82 <= metrics["auc"] <= 1.0


def test_every_metric_is_a_number(tracking: MlflowClient, mlgates_lineage: Lineage) -> None:
    metrics = tracking.get_run(mlgates_lineage.job).data.metrics
    assert {name for name, value in metrics.items() if not math.isfinite(value)} == set()


@pytest.mark.parametrize("picture", ["roc", "precision_recall", "confusion", "calibration"])
def test_the_run_keeps_its_figures(tracking: MlflowClient, mlgates_lineage: Lineage, picture: str) -> None:
    assert any(picture in artifact.path for artifact in tracking.list_artifacts(mlgates_lineage.job))
