"""How a model version is deployed to the batch endpoint, and the smoke test of that endpoint."""

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path

from azure.ai.ml import Input, MLClient, load_batch_deployment, load_batch_endpoint
from azure.ai.ml.entities import BatchDeployment, BatchEndpoint

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, EndpointTestFailed
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion, BatchSmokeTest, Deployment, EndpointKind, Job
from mlgates.delivery.job_log import follow
from mlgates.delivery.jobs import from_sdk
from mlgates.delivery.operations import (
    Change,
    OperationResult,
    default_of,
    put_deployment,
    put_endpoint,
    run_operation,
    scoring_uri,
)
from mlgates.delivery.sdk import load_declared, quiet_upload, translate_sdk_errors

OUTPUT = "score"
"""The output of a batch job with the predictions."""


def deploy_batch(
    client: MLClient, settings: Settings, model: AssetVersion, *, poll_s: float, progress: Progress
) -> Deployment:
    """Bring endpoint and deployment to what mlops/deploy/batch declares, with exactly `model`, and make it the default.

    Raises `DeploymentFailed` when the deployment is refused.
    """
    name = settings.batch_deployment_name
    batch_endpoint(client, settings, poll_s=poll_s, progress=progress)
    deployment = batch_deployment(client, settings, model, name, poll_s=poll_s, progress=progress)
    make_default(client, deployment.endpoint, name, poll_s=poll_s, progress=progress)
    return deployment


def batch_endpoint(client: MLClient, settings: Settings, *, poll_s: float, progress: Progress) -> OperationResult:
    """Bring the endpoint to what batch-endpoint.yml declares; its default stays as it is."""
    file = settings.project.batch / "batch-endpoint.yml"
    over = {"name": settings.batch_endpoint}
    with progress.step("batch endpoint") as step:
        wanted: BatchEndpoint = load_declared(load_batch_endpoint, settings.project, file, over)
        return step.done(put_endpoint(step, client.batch_endpoints, wanted, keep=["defaults"], poll_s=poll_s))


def batch_deployment(
    client: MLClient, settings: Settings, model: AssetVersion, name: str, *, poll_s: float, progress: Progress
) -> Deployment:
    """Bring the deployment `name` to what batch-deployment.yml declares, with exactly `model`.

    Raises `DeploymentFailed` when it is refused.
    """
    endpoint = settings.batch_endpoint
    file = settings.project.batch / "batch-deployment.yml"
    over = {"name": name, "endpoint_name": endpoint, "model": model.reference}
    with progress.step("batch deployment") as step:
        wanted: BatchDeployment = load_declared(load_batch_deployment, settings.project, file, over)
        outcome = put_deployment(step, client.batch_deployments, wanted, endpoint, poll_s=poll_s)
        uri = scoring_uri(client.batch_endpoints, endpoint)
        created = outcome.change is not Change.KEPT
        return step.done(Deployment(EndpointKind.BATCH, endpoint, name, str(model), uri, created=created))


def make_default(
    client: MLClient, endpoint_name: str, name: str, *, poll_s: float, progress: Progress
) -> OperationResult:
    """Make the deployment `name` the one that scores when none is named."""
    with progress.step("batch default") as step:
        with translate_sdk_errors(f"look up endpoint {endpoint_name}"):
            endpoint = client.batch_endpoints.get(endpoint_name)
        if default_of(endpoint) == name:
            return step.done(OperationResult(name, Change.KEPT))
        endpoint.defaults = {"deployment_name": name}
        run_operation(step, lambda: client.batch_endpoints.begin_create_or_update(endpoint), poll_s=poll_s)
        return step.done(OperationResult(name, Change.UPDATED))


def sample_files(settings: Settings) -> Sequence[Path]:
    """Return the files of BATCH_SAMPLE_REQUEST. Raises `AssetMissing` when there are none."""
    path = settings.project.root / settings.batch_sample_request
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    if not files:
        source = settings.sources["BATCH_SAMPLE_REQUEST"]
        raise AssetMissing(f"{settings.batch_sample_request} (BATCH_SAMPLE_REQUEST, {source}) is not there")
    return files


def invoke_batch(client: MLClient, endpoint: str, path: str, kind: str, *, poll_s: float, progress: Progress) -> Job:
    """Score what lies at `path` (a file, a folder, a URI or a data asset; `kind` is uri_file or uri_folder).

    Returns the completed job. Raises `JobFailed` with the last lines of its log.
    """
    with progress.step("batch job") as step:
        with translate_sdk_errors(f"invoke batch endpoint {endpoint}"), quiet_upload():
            name = str(client.batch_endpoints.invoke(endpoint, input=Input(type=kind, path=path)).name)
            job = from_sdk(client.jobs.get(name))
        return step.done(follow(step, client, job, poll_s=poll_s))


def download_predictions(client: MLClient, job: str, folder: Path) -> Sequence[Path]:
    """Download what a batch job wrote below `folder`; return the files."""
    with translate_sdk_errors(f"download the predictions of job {job}"):
        client.jobs.download(job, download_path=folder, output_name=OUTPUT)
    return sorted(file for file in folder.rglob("*") if file.is_file())


def smoke_test_batch(client: MLClient, settings: Settings, *, poll_s: float, progress: Progress) -> BatchSmokeTest:
    """Score the sample and count. Raises `EndpointTestFailed` unless there is a prediction for each row."""
    path, kind = str(settings.project.root / settings.batch_sample_request), settings.batch_request_type
    endpoint = settings.batch_endpoint
    with progress.step("batch job") as step:
        files = sample_files(settings)
        job = invoke_batch(client, endpoint, path, kind, poll_s=poll_s, progress=step.inner)
        with tempfile.TemporaryDirectory() as folder:
            given = sum(_lines(file) for file in download_predictions(client, job.name, Path(folder)))
        asked = sum(_lines(file) - 1 for file in files)  # the first line names the columns
        if given != asked:
            raise EndpointTestFailed(
                f"batch endpoint {endpoint}, job {job.name}: {given} predictions for {asked} rows of "
                f"{settings.batch_sample_request}; what it logged: {job.link or 'mlgates logs batch'}"
            )
        return step.done(BatchSmokeTest(endpoint, job.name, given))


def _lines(file: Path) -> int:
    with file.open(encoding="utf-8", newline="") as stream:
        return sum(1 for row in csv.reader(stream) if row)
