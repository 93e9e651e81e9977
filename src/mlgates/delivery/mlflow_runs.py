"""What the MLflow run of a job keeps: metrics, tags, artifacts, and the records of gates about its model."""

import importlib
import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from azure.ai.ml import MLClient

from mlgates.core.errors import AssetMissing, WorkspaceRefused
from mlgates.core.gates import GateRecord
from mlgates.core.ledger import ANCHOR_TAGS
from mlgates.core.lineage import Lineage
from mlgates.core.values import GATE, AssetVersion, gate_tags, record_of
from mlgates.delivery.sdk import translate_sdk_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow's autologging measures on the rows that the model was fitted to; a lineage says how it did on others.
_AUTOLOGGED = "training_"


def preload() -> None:
    """Import MLflow beside other work: it takes seconds, and a job takes longer."""
    threading.Thread(target=importlib.import_module, args=("mlflow",), name="preload mlflow", daemon=True).start()


def run_metrics(client: MLClient, job_name: str) -> dict[str, float]:
    """Return the last value of each metric that the run of job `job_name` logged, those of autologging left out."""
    with _mlflow(client, f"read the metrics of job {job_name}") as mlflow:
        run = mlflow.get_run(job_name)
    return {name: value for name, value in run.data.metrics.items() if not name.startswith(_AUTOLOGGED)}


def run_tags(client: MLClient, job_name: str) -> dict[str, str]:
    """Return the tags of the run of job `job_name`."""
    with _mlflow(client, f"read the tags of job {job_name}") as mlflow:
        return dict(mlflow.get_run(job_name).data.tags)


def tag_run(client: MLClient, job_name: str, tags: Mapping[str, str]) -> None:
    """Set tags of the run of job `job_name`."""
    with _mlflow(client, f"tag job {job_name}") as mlflow:
        for name, text in tags.items():
            mlflow.set_tag(job_name, name, text)


def tagged_runs(client: MLClient, experiment_name: str, tag: str) -> dict[str, dict[str, str]]:
    """Return the tags of the runs of an experiment that have `tag`, by run; none where there is no such experiment."""
    with _mlflow(client, f"search the runs of {experiment_name}") as mlflow:
        experiment = mlflow.get_experiment_by_name(experiment_name)
        if experiment is None:
            return {}
        runs, token = {}, None
        while True:
            page = mlflow.search_runs([experiment.experiment_id], f"tags.`{tag}` != ''", page_token=token)
            runs.update({str(run.info.run_id): dict(run.data.tags) for run in page})
            if not (token := page.token):
                return runs


def tracking_uri(client: MLClient) -> str:
    """Return the address of the workspace's MLflow."""
    with translate_sdk_errors(f"look up MLflow of workspace {client.workspace_name}"):
        return str(client.workspaces.get(client.workspace_name).mlflow_tracking_uri)


def download_artifact(client: MLClient, job: str, path: str, folder: Path) -> Path:
    """Download an artifact of the run of `job`; return the file. Raises `AssetMissing` when the run has none."""
    try:
        with _mlflow(client, f"download {path} of job {job}") as mlflow:
            return Path(mlflow.download_artifacts(job, path, str(folder)))
    except OSError as error:
        raise AssetMissing(f"job {job} has no artifact {path}") from error


def keep_record(client: MLClient, model: AssetVersion, record: GateRecord) -> None:
    """Keep `record` with `model`: `gates/<gate>.json` among the artifacts of its run, verdict and checksum as tags."""
    document = json.dumps(record.to_dict(), indent=2)
    _keep(client, Lineage.from_tags(model.tags).job, document, f"gates/{record.gate}.json")
    tag_model(client, model, gate_tags(record.gate, passed=record.passed, record=record.sha256))


def keep_page(client: MLClient, record: GateRecord, page: str) -> None:
    """Keep the page of `record`, which is about a model, beside the record: `gates/<gate>.html`."""
    if record.candidate:
        _keep(client, Lineage.from_tags(record.candidate.tags).job, page, f"gates/{record.gate}.html")


def verdicts_of(client: MLClient, job: str) -> dict[str, str]:
    """Return the tags that gates, and decisions, have given what `job` made, before it was registered."""
    kept = (GATE, ANCHOR_TAGS)
    return {name: text for name, text in run_tags(client, job).items() if name.startswith(kept)}


def tag_model(client: MLClient, model: AssetVersion, tags: Mapping[str, str]) -> None:
    """Add `tags` to a model version, over those of the same names; one that is not registered keeps them in its run."""
    if model.unregistered_job:
        tag_run(client, model.unregistered_job, tags)
        return
    with translate_sdk_errors(f"tag model {model}"):
        registered = client.models.get(model.name, model.version)
        registered.tags = {**(registered.tags or {}), **tags}
        client.models.create_or_update(registered)


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


def _keep(client: MLClient, job: str, text: str, path: str) -> None:
    with _mlflow(client, f"keep {path} with job {job}") as mlflow:
        mlflow.log_text(job, text, path)


@contextmanager
def _mlflow(client: MLClient, what: str) -> Iterator["MlflowClient"]:
    """Give a client of the workspace's MLflow; what it refuses while doing `what` becomes `WorkspaceRefused`."""
    # Imported here: MLflow takes seconds to import.
    import mlflow  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        yield mlflow.MlflowClient(tracking_uri(client))
    except MlflowException as error:
        raise WorkspaceRefused(f"cannot {what}: {error.message}") from error
