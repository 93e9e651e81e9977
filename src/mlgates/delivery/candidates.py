"""Which model is meant: a version of the registry, or what a job has made and nobody has registered yet."""

from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.core.values import UNREGISTERED, AssetVersion
from mlgates.delivery.content import list_versions
from mlgates.delivery.gate_tags import verdicts_of
from mlgates.delivery.job import find_job
from mlgates.delivery.metrics import run_metrics
from mlgates.delivery.model import lineage_of
from mlgates.delivery.refusals import translate_sdk_errors


def find_model(client: MLClient, settings: Settings, version: str | None) -> AssetVersion:
    """Return a version of the model, by default the newest; `job:NAME` is what that job has made.

    Raises `AssetMissing`, also for a job that has not completed.
    """
    name = settings.model_name
    if version is not None and version.startswith(UNREGISTERED):
        return candidate_of(client, settings, version.removeprefix(UNREGISTERED))
    with translate_sdk_errors(f"list the versions of model {name}"):
        versions = list(list_versions(lambda: client.models.list(name=name)))
    found = next((each for each in versions if version in (None, each.version)), None)
    if found is None:
        known = ", ".join(each.version for each in versions) or "none"
        wanted = f"version {version}" if version else "version"
        raise AssetMissing(f"there is no {wanted} of model {name} (known: {known}): run 'mlgates train --register'")
    return found


def candidate_of(client: MLClient, settings: Settings, job_name: str) -> AssetVersion:
    """Return the model that a job has made, with its lineage and the verdicts of gates, as a version `job:NAME`."""
    job = find_job(client, settings.training_experiment_name, job_name)
    if job.status != "Completed":
        raise AssetMissing(f"job {job.name} is {job.status}: only a completed job has made a model")
    tags = {**lineage_of(job, run_metrics(client, job.name)).to_tags(), **verdicts_of(client, job.name)}
    return AssetVersion(settings.model_name, f"{UNREGISTERED}{job.name}", created=False, tags=tags)
