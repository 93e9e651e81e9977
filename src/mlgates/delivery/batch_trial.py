"""The smoke test of the batch endpoint: the sample is scored by a job, and every row must come back."""

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path

from azure.ai.ml import Input, MLClient

from mlgates.config.settings import Settings
from mlgates.core.deployments import BatchSmokeTest
from mlgates.core.errors import AssetMissing, EndpointTestFailed
from mlgates.core.progress import Progress
from mlgates.core.values import Job
from mlgates.delivery.follow import follow
from mlgates.delivery.job import from_sdk
from mlgates.delivery.quiet import quiet_upload
from mlgates.delivery.refusals import translate_sdk_errors

OUTPUT = "score"
"""The output of a batch job that holds the predictions."""


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
