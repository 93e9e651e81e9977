"""What the MLflow run of a job keeps: metrics, tags and artifacts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from azure.ai.ml import MLClient

from mlgates.core.errors import AssetMissing, WorkspaceRefused
from mlgates.core.ledger import ANCHOR_TAGS
from mlgates.core.values import GATE
from mlgates.delivery.sdk import translate_sdk_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow's autologging measures on the rows that the model was fitted to; a lineage says how it did on others.
_AUTOLOGGED = "training_"


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


def verdicts_of(client: MLClient, job: str) -> dict[str, str]:
    """Return the tags that gates, and decisions, have given what `job` made, before it was registered."""
    kept = (GATE, ANCHOR_TAGS)
    return {name: text for name, text in run_tags(client, job).items() if name.startswith(kept)}


def keep_text(client: MLClient, job: str, text: str, path: str) -> None:
    """Keep `text` among the artifacts of the run of `job`."""
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
