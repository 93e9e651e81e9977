"""The runs of training: register the inputs, submit the job, follow it, register its model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion, Job, SourceState
from mlgates.delivery.assets import register_data, register_environment
from mlgates.delivery.job_log import follow
from mlgates.delivery.jobs import Training, find_by_fingerprint, find_job, submit
from mlgates.delivery.mlflow_runs import run_metrics, verdicts_of
from mlgates.delivery.models import register_model
from mlgates.delivery.operations import poll_seconds
from mlgates.delivery.sdk import preload


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What is asked of one training run beyond what the project declares."""

    source: SourceState
    inputs: Mapping[str, str | int | float] = field(default_factory=dict)
    """Inputs of pipeline.yml to set otherwise."""
    data_file: Path | None = None
    """A file to train on instead of the one that dataset.yml names."""
    reproduces: str | None = None
    """The job that is repeated with the same inputs, to show that the metrics come out the same."""
    build: str | None = None
    """The sha256 of the build that the project was unpacked from."""


def train(client: MLClient, settings: Settings, request: TrainingRequest, *, progress: Progress) -> Job:
    """Register environment and data, submit the job and follow it to its end; return the completed job."""
    job = begin(client, settings, request, force=True, progress=progress)
    return finish(client, settings, job, progress=progress)


def begin(client: MLClient, settings: Settings, request: TrainingRequest, *, force: bool, progress: Progress) -> Job:
    """Register environment and data, and submit the job, or take up one of the same fingerprint unless `force`.

    One that completed, or is still on its way, is taken up; one that failed is not. Returns the job as it is now.
    """
    project = settings.project
    environment = progress.run(
        "environment", lambda: register_environment(client, project, settings.training_environment_name)
    )
    data = progress.run(
        "data", lambda: register_data(client, project, settings.training_dataset_name, instead=request.data_file)
    )
    training = Training(environment, data, request.source, request.inputs, request.reproduces, request.build)
    known = None if force else find_by_fingerprint(client, settings.training_experiment_name, training.fingerprint)
    return known or progress.run("submit", lambda: submit(client, settings, training))


def finish(client: MLClient, settings: Settings, job: Job, *, name: str = "job", progress: Progress) -> Job:
    """Follow a job to its end, as the step `name`; return it completed, at once when it was."""
    with progress.step(name) as step:
        if job.status == "Completed":
            step.job(job.name, job.link)
            return step.done(job)
        return step.done(follow(step, client, job, poll_s=poll_seconds(settings)))


def register_job_model(
    client: MLClient, settings: Settings, job_name: str | None = None, *, progress: Progress
) -> AssetVersion:
    """Register the model of job `job_name`, by default of the newest completed one; return its version."""
    job = progress.run("find job", lambda: find_job(client, settings.training_experiment_name, job_name))
    return progress.run("model", lambda: _register(client, settings, job))


def train_and_register(
    client: MLClient, settings: Settings, request: TrainingRequest, *, progress: Progress
) -> AssetVersion:
    """Train, then register the model of that very job; return its version."""
    preload()
    job = train(client, settings, request, progress=progress)
    return progress.run("model", lambda: _register(client, settings, job))


def _register(client: MLClient, settings: Settings, job: Job) -> AssetVersion:
    return register_model(
        client,
        settings,
        job,
        lambda: run_metrics(client, job.name),
        verdicts=lambda: verdicts_of(client, job.name),
    )
