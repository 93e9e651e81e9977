"""What serves a model has logged: an online deployment, or the newest batch job."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from azure.ai.ml import MLClient

from mlgates.core.errors import AssetMissing
from mlgates.delivery.refusals import translate_sdk_errors


def online_log(client: MLClient, endpoint: str, deployment: str, *, lines: int) -> Sequence[str]:
    """Return the last `lines` that a deployment logged."""
    with translate_sdk_errors(f"read the log of deployment {deployment} of online endpoint {endpoint}"):
        return str(client.online_deployments.get_logs(deployment, endpoint, lines=lines)).splitlines()[-lines:]


def batch_log(client: MLClient, endpoint: str, *, lines: int) -> Sequence[str]:
    """Return the last `lines` of the newest job of a batch endpoint. Raises `AssetMissing` when it had none."""
    with translate_sdk_errors(f"list the jobs of batch endpoint {endpoint}"):
        newest = next(iter(client.batch_endpoints.list_jobs(endpoint)), None)
    if newest is None:
        raise AssetMissing(f"batch endpoint {endpoint} has not scored yet: run 'mlgates test --only batch'")
    with tempfile.TemporaryDirectory() as folder, translate_sdk_errors(f"download the log of job {newest.name}"):
        client.jobs.download(str(newest.name), download_path=folder, all=True)
        logs = sorted(Path(folder).rglob("user_logs/*.txt"))
        return [line for log in logs for line in log.read_text("utf-8", errors="replace").splitlines()][-lines:]
