"""How a gate's record is kept in the workspace: an artifact of the model's run, and tags on the model version."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from azure.ai.ml import MLClient

from mlgates.core.chain import ANCHOR_TAGS
from mlgates.core.errors import WorkspaceRefused
from mlgates.core.gates import GateRecord
from mlgates.core.lineage import Lineage
from mlgates.core.tags import GATE, gate_tags, record_of
from mlgates.core.values import AssetVersion
from mlgates.delivery.downloads import download_artifact
from mlgates.delivery.metrics import run_tags, tag_run, tracking_uri
from mlgates.delivery.refusals import translate_sdk_errors


def keep_record(client: MLClient, model: AssetVersion, record: GateRecord) -> None:
    """Keep `record` with `model`: `gates/<gate>.json` among the artifacts of its run, verdict and checksum as tags."""
    document = json.dumps(record.to_dict(), indent=2)
    _keep(client, Lineage.from_tags(model.tags).job, document, f"gates/{record.gate}.json")
    tag_model(client, model, gate_tags(record.gate, passed=record.passed, record=record.sha256))


def keep_page(client: MLClient, record: GateRecord, page: str) -> None:
    """Keep the page of `record`, which is about a model, beside the record: `gates/<gate>.html`."""
    if record.candidate:
        _keep(client, Lineage.from_tags(record.candidate.tags).job, page, f"gates/{record.gate}.html")


def _keep(client: MLClient, job: str, text: str, path: str) -> None:
    # Imported here: MLflow takes seconds to import.
    import mlflow  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        mlflow.MlflowClient(tracking_uri(client)).log_text(job, text, path)
    except MlflowException as error:
        raise WorkspaceRefused(f"cannot keep {path} with job {job}: {error.message}") from error


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
        held = client.models.get(model.name, model.version)
        held.tags = {**(held.tags or {}), **tags}
        client.models.create_or_update(held)


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
