"""How a training job is submitted and found again, by its name or by the fingerprint of its training."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from azure.ai.ml import MLClient, load_job
from azure.ai.ml.entities import Command
from azure.ai.ml.entities import Job as SdkJob

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.files import sha256_of_json
from mlgates.core.nearest import did_you_mean
from mlgates.core.values import ORIGIN_TAG, UNKNOWN, AssetVersion, Job, SourceState
from mlgates.delivery.assets import CHECKSUM_TAG
from mlgates.delivery.sdk import load_declared, quiet_upload, translate_sdk_errors

JOB_FILE = "pipeline.yml"
DATA_INPUT = "input"
FINGERPRINT_TAG = "recipe_sha256"
"""The tag of a run with the fingerprint of its training."""
REPRODUCES = "reproduces"
"""The tag of a second training: the name of the job that it repeats, to show that the metrics come out the same."""


@dataclass(frozen=True, slots=True)
class Training:
    """What one training run is made of."""

    environment: AssetVersion
    data: AssetVersion
    source: SourceState
    inputs: Mapping[str, str | int | float] = field(default_factory=dict)
    """Inputs of pipeline.yml that this run sets otherwise."""
    reproduces: str | None = None
    """The job that this run repeats."""
    build: str | None = None
    """The sha256 of the build that this run is trained from."""

    @property
    def fingerprint(self) -> str:
        """The sha256 of all that decides what comes out, by which a run is known again after an interruption.

        Local changes outside of a build are identified by nothing, nor is an unknown commit: such a run is unlike all.
        """
        identified = self.source.commit != UNKNOWN and not self.source.dirty
        known = self.build or (self.source.commit if identified else uuid.uuid4().hex)
        return sha256_of_json(
            {
                "source": known,
                "data": str(self.data),
                "environment": str(self.environment),
                "inputs": dict(self.inputs),
                REPRODUCES: self.reproduces,
            }
        )

    def tags(self) -> dict[str, str]:
        """Return the facts that the model's lineage is later read from."""
        return {
            "git_commit": self.source.commit,
            "git_dirty": str(self.source.dirty),
            "data": str(self.data),
            "data_sha256": self.data.tags.get(CHECKSUM_TAG, "unknown"),
            "data_origin": self.data.tags.get(ORIGIN_TAG, "unknown"),
            "environment": str(self.environment),
            "build_sha256": self.build or "none",
            FINGERPRINT_TAG: self.fingerprint,
            **({REPRODUCES: self.reproduces} if self.reproduces else {}),
        }


def submit(client: MLClient, settings: Settings, training: Training) -> Job:
    """Submit pipeline.yml with exact versions of environment and data; return the job as the workspace accepted it.

    Raises `ConfigurationError` for an input that pipeline.yml does not declare.
    """
    _check_inputs(settings, training)
    over = {
        "experiment_name": settings.training_experiment_name,
        "environment": training.environment.reference,
        f"inputs.{DATA_INPUT}.path": training.data.reference,
        "environment_variables.MODEL_PATH": settings.model_path,
        **{f"inputs.{name}": value for name, value in training.inputs.items()},
    }
    job = load_declared(load_job, settings.project, settings.project.training / JOB_FILE, over)
    job.tags = {**(job.tags or {}), **training.tags()}
    with translate_sdk_errors(f"submit {JOB_FILE}"), quiet_upload():
        return from_sdk(client.jobs.create_or_update(job))


def find_job(client: MLClient, experiment: str, name: str | None = None) -> Job:
    """Return the job `name`, or the newest completed one of `experiment` that repeats no other.

    Raises `AssetMissing` when there is none.
    """
    if name is not None:
        with translate_sdk_errors(f"find job {name}"):
            return from_sdk(client.jobs.get(name))
    with translate_sdk_errors(f"list the jobs of experiment {experiment}"):
        jobs = jobs_of(client, experiment)
        completed = next((job for job in jobs if job.status == "Completed" and REPRODUCES not in job.tags), None)
    if completed is None:
        raise AssetMissing(f"no completed job in experiment {experiment}: run 'mlgates train' first, or name a job")
    return completed


def find_by_fingerprint(client: MLClient, experiment: str, fingerprint: str) -> Job | None:
    """Return the newest job of a training fingerprint that completed or is on its way; None when there is none."""
    with translate_sdk_errors(f"list the jobs of experiment {experiment}"):
        same = (job for job in jobs_of(client, experiment) if job.tags.get(FINGERPRINT_TAG) == fingerprint)
        return next((job for job in same if job.status == "Completed" or not job.ended), None)


def jobs_of(client: MLClient, experiment: str) -> Iterator[Job]:
    """Yield the jobs of `experiment`, newest first."""
    # An entry that the SDK cannot parse arrives as None.
    return (from_sdk(job) for job in client.jobs.list() if job is not None and job.experiment_name == experiment)


def from_sdk(job: SdkJob) -> Job:
    """Return an SDK job in our words."""
    tracking = (job.services or {}).get("Tracking")
    return Job(
        name=str(job.name),
        experiment=str(job.experiment_name),
        status=getattr(job.status, "value", None) or str(job.status),  # an enum for states that the SDK knows
        link=job.studio_url,
        tracking=str(tracking.endpoint).rstrip("?") if tracking else None,  # the service ends it in an empty query
        tags=dict(job.tags or {}),
    )


def _check_inputs(settings: Settings, training: Training) -> None:
    job = load_declared(load_job, settings.project, settings.project.training / JOB_FILE, {})
    file = settings.project.shown(settings.project.training / JOB_FILE)
    if not isinstance(job, Command):
        raise ConfigurationError(f"{file}: the training job must be a command job (type: command), not {job.type}")
    for name in (DATA_INPUT, *training.inputs):
        if name not in job.inputs:
            raise ConfigurationError(f"{file}: there is no input '{name}'. {did_you_mean(name, job.inputs)}")
