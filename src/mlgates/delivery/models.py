"""Which models a workspace has, how one is registered, found and downloaded, and what gates keep with it."""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from azure.ai.ml import MLClient, load_model

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, WorkspaceRefused
from mlgates.core.gates import GateRecord
from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion, Inventory, Job, ModelRef, gate_tags, record_of
from mlgates.delivery.jobs import find_job, jobs_of
from mlgates.delivery.mlflow_runs import download_artifact, keep_text, run_metrics, tag_run, verdicts_of
from mlgates.delivery.sdk import (
    SdkAsset,
    find_version,
    list_versions,
    load_declared,
    quiet_upload,
    translate_sdk_errors,
)

JOB_TAG = "job"
RELEASED_TAG = "released"
"""On a model version: `true` while it is the released one; then what became of it (`superseded`, `rolled back`).

Who released it, and on what evidence, is in the ledger."""


def register_model(
    client: MLClient,
    settings: Settings,
    job: Job,
    metrics: Callable[[], Mapping[str, float]],
    *,
    verdicts: Callable[[], Mapping[str, str]] = dict,
) -> AssetVersion:
    """Return the model version made from `job`; register it, with what `metrics` returns, when there is none yet.

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


def find_model(client: MLClient, settings: Settings, version: str | None) -> AssetVersion:
    """Return a version of the model, by default the newest; `job:NAME` is what that job has made.

    Raises `AssetMissing`, also for a job that has not completed.
    """
    name = settings.model_name
    if version is not None and (job := ModelRef(name, version).job):
        return candidate_of(client, settings, job)
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
    model = ModelRef.of_job(settings.model_name, job.name)
    return AssetVersion(model.name, model.version, created=False, tags=tags)


def released_version(client: MLClient, settings: Settings) -> AssetVersion:
    """Return the newest version that is tagged as released; the newest of all while none is.

    Raises `AssetMissing` when the workspace has no version.
    """
    name = settings.model_name
    with translate_sdk_errors(f"look up the released version of model {name}"):
        released = find_version(lambda: client.models.list(name=name), RELEASED_TAG, "true")
    return released or find_model(client, settings, None)


def take_inventory(client: MLClient, settings: Settings, *, newest: int) -> Inventory:
    """Return at most `newest` of each kind."""

    def versions(list_them: Callable[[], Iterable[SdkAsset]]) -> tuple[AssetVersion, ...]:
        return tuple(islice(list_versions(list_them), newest))

    with translate_sdk_errors(f"list what workspace {settings.aml_workspace_name} has"):
        return Inventory(
            environments=versions(lambda: client.environments.list(name=settings.training_environment_name)),
            data=versions(lambda: client.data.list(name=settings.training_dataset_name)),
            jobs=tuple(islice(jobs_of(client, settings.training_experiment_name), newest)),
            models=versions(lambda: client.models.list(name=settings.model_name)),
        )


def model_versions(client: MLClient, settings: Settings, *, newest: int) -> tuple[AssetVersion, ...]:
    """Return at most `newest` versions of the project's model, newest first."""
    with translate_sdk_errors(f"list the versions of model {settings.model_name}"):
        return tuple(islice(list_versions(lambda: client.models.list(name=settings.model_name)), newest))


def download_model(client: MLClient, model: AssetVersion, folder: Path) -> Path:
    """Download a model below `folder`; return the folder of its MLmodel. Raises `AssetMissing`.

    The files of a model that is not registered yet are found among the artifacts of its job.
    """
    with translate_sdk_errors(f"download model {model}"), quiet_upload():
        if model.unregistered_job:
            client.jobs.download(model.unregistered_job, download_path=folder)
        else:
            client.models.download(model.name, model.version, download_path=folder)
    found = sorted(folder.rglob("MLmodel"), key=lambda file: len(file.parts))
    if not found:
        raise AssetMissing(f"model {model} has no file MLmodel: it is not an MLflow model")
    return found[0].parent


def tag_model(client: MLClient, model: AssetVersion, tags: Mapping[str, str]) -> None:
    """Add `tags` to a model version, over those of the same names; one that is not registered keeps them in its run."""
    if model.unregistered_job:
        tag_run(client, model.unregistered_job, tags)
        return
    with translate_sdk_errors(f"tag model {model}"):
        registered = client.models.get(model.name, model.version)
        registered.tags = {**(registered.tags or {}), **tags}
        client.models.create_or_update(registered)


def keep_record(client: MLClient, model: AssetVersion, record: GateRecord) -> None:
    """Keep `record` with `model`: `gates/<gate>.json` among the artifacts of its run, verdict and checksum as tags."""
    document = json.dumps(record.to_dict(), indent=2)
    keep_text(client, Lineage.from_tags(model.tags).job, document, f"gates/{record.gate}.json")
    tag_model(client, model, gate_tags(record.gate, passed=record.passed, record=record.sha256))


def keep_page(client: MLClient, record: GateRecord, page: str) -> None:
    """Keep the page of `record`, which is about a model, beside the record: `gates/<gate>.html`."""
    if record.candidate:
        keep_text(client, Lineage.from_tags(record.candidate.tags).job, page, f"gates/{record.gate}.html")


def read_record(client: MLClient, model: AssetVersion, gate: str) -> GateRecord | None:
    """Return the newest record of `gate` that is kept with `model`, None when there is none.

    Raises `WorkspaceRefused` when the record is not the one that the tags name: one of the two has been changed.
    """
    checksum = record_of(model.tags, gate)
    if checksum is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        job = Lineage.from_tags(model.tags).job
        file = download_artifact(client, job, f"gates/{gate}.json", Path(folder))
        try:
            record = GateRecord.from_dict(json.loads(file.read_text(encoding="utf-8")))
        except (KeyError, TypeError, ValueError) as error:
            raise WorkspaceRefused(f"gates/{gate}.json of job {job} is no record of a gate: {error}") from error
    if record.sha256 != checksum:
        raise WorkspaceRefused(
            f"gates/{gate}.json of job {job} is not the record that {model} is tagged with: run 'mlgates gate {gate}'"
        )
    return record
