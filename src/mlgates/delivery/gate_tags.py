"""How a gate's record is kept in the workspace: an artifact of the model's run, and tags on the model version."""

import json
from collections.abc import Mapping
from typing import Any

from azure.ai.ml import MLClient

from mlgates.core.errors import WorkspaceRefused
from mlgates.core.gates import GateRecord
from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion
from mlgates.delivery.metrics import run_tags, tag_run, tracking_uri
from mlgates.delivery.refusals import asking

_VERDICT = "gate."


def keep_record(client: MLClient, model: AssetVersion, record: GateRecord) -> None:
    """Keep `record` with `model`: `gates/<gate>.json` among the artifacts of its run, verdict and checksum as tags."""
    # Imported here: MLflow takes seconds to import.
    import mlflow  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    job = Lineage.from_tags(model.tags).job
    document: Mapping[str, Any] = json.loads(json.dumps(record.to_dict()))
    try:
        mlflow.MlflowClient(tracking_uri(client)).log_dict(job, dict(document), f"gates/{record.gate}.json")
    except MlflowException as error:
        raise WorkspaceRefused(
            f"cannot keep the record of gate {record.gate} with job {job}: {error.message}"
        ) from error
    verdict = "passed" if record.passed else "failed"
    tag_model(client, model, {f"{_VERDICT}{record.gate}": verdict, f"{_VERDICT}{record.gate}.record": record.sha256})


def verdicts_of(client: MLClient, job: str) -> dict[str, str]:
    """Return the tags that gates have given what `job` made, before it was registered."""
    return {name: text for name, text in run_tags(client, job).items() if name.startswith(_VERDICT)}


def tag_model(client: MLClient, model: AssetVersion, tags: Mapping[str, str]) -> None:
    """Add `tags` to a model version, over those of the same names; one that is not registered keeps them in its run."""
    if model.unregistered_job:
        tag_run(client, model.unregistered_job, tags)
        return
    with asking(f"tag model {model}"):
        held = client.models.get(model.name, model.version)
        held.tags = {**(held.tags or {}), **tags}
        client.models.create_or_update(held)
