"""How what a workspace holds comes back to this machine: models, data and the artifacts of runs."""

from pathlib import Path

# Private, and the way that Azure ML's own documentation gives for the download of a data asset: the SDK has no other.
from azure.ai.ml import MLClient
from azure.ai.ml._artifacts._artifact_utilities import download_artifact_from_aml_uri

from mlgates.core.errors import AssetMissing, WorkspaceRefused
from mlgates.core.values import AssetVersion
from mlgates.delivery.metrics import tracking_uri
from mlgates.delivery.quiet import quiet_upload
from mlgates.delivery.refusals import translate_sdk_errors


def download_model(client: MLClient, model: AssetVersion, folder: Path) -> Path:
    """Download a model below `folder`; return the folder that holds its MLmodel. Raises `AssetMissing`.

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


def download_data(client: MLClient, reference: str, folder: Path) -> Path:
    """Download a data asset, `name:version`, that is one file; return the file. Raises `AssetMissing`."""
    name, _, version = reference.partition(":")
    with translate_sdk_errors(f"download data {reference}"):
        data = client.data.get(name, version)
        download_artifact_from_aml_uri(str(data.path), str(folder), client.datastores)
    files = [file for file in folder.rglob("*") if file.is_file()]
    if len(files) != 1:
        raise AssetMissing(f"data {reference} is {len(files)} files, and one is needed")
    return files[0]


def download_artifact(client: MLClient, job: str, path: str, folder: Path) -> Path:
    """Download an artifact of the run of `job`; return the file. Raises `AssetMissing` when the run has none."""
    # Imported here: MLflow takes seconds to import.
    import mlflow  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        return Path(mlflow.MlflowClient(tracking_uri(client)).download_artifacts(job, path, str(folder)))
    except MlflowException as error:
        raise WorkspaceRefused(f"cannot download {path} of job {job}: {error.message}") from error
    except OSError as error:
        raise AssetMissing(f"job {job} has no artifact {path}") from error
