"""How a job's model is registered: one version a job, with its lineage as tags."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from azure.ai.ml import MLClient, load_model

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion, Job
from mlgates.delivery.content import find_version
from mlgates.delivery.declared import load_declared
from mlgates.delivery.refusals import translate_sdk_errors

JOB_TAG = "job"


def register_model(
    client: MLClient,
    settings: Settings,
    job: Job,
    metrics: Callable[[], Mapping[str, float]],
    *,
    verdicts: Callable[[], Mapping[str, str]] = dict,
) -> AssetVersion:
    """Return the model version made from `job`; register it, with what `metrics` tells, when there is none yet.

    `verdicts` are tags that gates have given the model before it was registered.

    Raises `AssetMissing` for a job that did not complete.
    """
    if job.status != "Completed":
        raise AssetMissing(f"job {job.name} is {job.status}: a model is registered from a completed job only")
    name = settings.model_name
    with translate_sdk_errors(f"look up model {name}"):
        known = find_version(lambda: client.models.list(name=name), JOB_TAG, job.name)
    if known:
        return known
    path = f"azureml://jobs/{job.name}/outputs/artifacts/paths/{settings.model_path}/"
    file = settings.project.training / "model.yml"
    model = load_declared(load_model, settings.project, file, {"name": name, "path": path})
    model.tags = {**(model.tags or {}), **lineage_of(job, metrics()).to_tags(), **verdicts()}
    with translate_sdk_errors(f"register model {name} from job {job.name}"):
        saved = client.models.create_or_update(model)
    return AssetVersion(name, str(saved.version), created=True, tags=dict(saved.tags or {}))


def lineage_of(job: Job, metrics: Mapping[str, float]) -> Lineage:
    """Return the lineage of what `job` made; its submission left everything but the metrics in its tags."""
    return replace(Lineage.from_tags(job.tags), job=job.name, metrics=metrics)
