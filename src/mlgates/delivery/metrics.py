"""What a job's run measured, as MLflow keeps it."""

import importlib
import threading
from collections.abc import Mapping

from azure.ai.ml import MLClient

from mlgates.core.errors import WorkspaceRefused
from mlgates.delivery.refusals import translate_sdk_errors

# MLflow's autologging measures on the rows that the model was fitted to; a lineage tells how it did on others.
_AUTOLOGGED = "training_"


def preload() -> None:
    """Import MLflow beside other work: it takes seconds, and a job takes longer."""
    threading.Thread(target=importlib.import_module, args=("mlflow",), name="preload mlflow", daemon=True).start()


def run_metrics(client: MLClient, job_name: str) -> dict[str, float]:
    """Return the last value of each metric that the run of job `job_name` logged, those of autologging left out."""
    # Imported here: only this needs MLflow, which takes seconds to import.
    import mlflow  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        run = mlflow.MlflowClient(tracking_uri(client)).get_run(job_name)
    except MlflowException as error:
        raise WorkspaceRefused(f"cannot read the metrics of job {job_name}: {error.message}") from error
    return {name: value for name, value in run.data.metrics.items() if not name.startswith(_AUTOLOGGED)}


def run_tags(client: MLClient, job_name: str) -> dict[str, str]:
    """Return the tags of the run of job `job_name`."""
    import mlflow  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        return dict(mlflow.MlflowClient(tracking_uri(client)).get_run(job_name).data.tags)
    except MlflowException as error:
        raise WorkspaceRefused(f"cannot read the tags of job {job_name}: {error.message}") from error


def tag_run(client: MLClient, job_name: str, tags: Mapping[str, str]) -> None:
    """Set tags of the run of job `job_name`."""
    import mlflow  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        tracking = mlflow.MlflowClient(tracking_uri(client))
        for name, text in tags.items():
            tracking.set_tag(job_name, name, text)
    except MlflowException as error:
        raise WorkspaceRefused(f"cannot tag job {job_name}: {error.message}") from error


def tagged_runs(client: MLClient, experiment_name: str, tag: str) -> dict[str, dict[str, str]]:
    """Return the tags of the runs of an experiment that have `tag`, by run; none where there is no such experiment."""
    import mlflow  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        tracking = mlflow.MlflowClient(tracking_uri(client))
        experiment = tracking.get_experiment_by_name(experiment_name)
        if experiment is None:
            return {}
        runs, token = {}, None
        while True:
            page = tracking.search_runs([experiment.experiment_id], f"tags.`{tag}` != ''", page_token=token)
            runs.update({str(run.info.run_id): dict(run.data.tags) for run in page})
            if not (token := page.token):
                return runs
    except MlflowException as error:
        raise WorkspaceRefused(f"cannot search the runs of {experiment_name}: {error.message}") from error


def tracking_uri(client: MLClient) -> str:
    """Return the address of the workspace's MLflow."""
    with translate_sdk_errors(f"look up MLflow of workspace {client.workspace_name}"):
        return str(client.workspaces.get(client.workspace_name).mlflow_tracking_uri)
