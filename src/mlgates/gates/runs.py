"""The run of a gate about a model: candidate and champion are found, every check is run, the record is kept."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.core.gates import GateRecord
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion
from mlgates.delivery.models import find_model, keep_record, model_versions
from mlgates.delivery.operations import get_online_endpoint, served_model
from mlgates.gates.declaration import Gate, Gates
from mlgates.gates.recording import evidence_of, recorded
from mlgates.gates.workspace import WorkspaceEvidence

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


VERSIONS = 12
"""As many versions the history of a record goes back."""


def run_model_gate(
    client: "MLClient",
    gates: Gates,
    gate: Gate,
    settings: Settings,
    *,
    version: str | None,
    commit: str,
    progress: Progress,
) -> GateRecord:
    """Run a gate about a model version, by default the newest, and keep its record with that version.

    The champion is the version that has most of the online endpoint's traffic.
    """
    candidate = progress.run("candidate", lambda: find_model(client, settings, version))
    champion = find_champion(client, settings)
    with tempfile.TemporaryDirectory() as folder:
        source = WorkspaceEvidence(client, Path(folder), gates.evaluation)
        evidence = evidence_of(settings, commit)
        evidence.the_candidate = source.model(candidate)
        evidence.champion = source.model(champion) if champion else None
        evidence.config = gates.evaluation
        evidence.fetch_held_out, evidence.fetch_training_set = source.held_out, source.training_set
        evidence.fetch_features = lambda model, _: source.features(model, evidence.candidate)
        evidence.fetch_reproduced_metrics = lambda: source.reproduced_metrics(
            evidence.candidate, settings.training_experiment_name
        )
        versions = model_versions(client, settings, newest=VERSIONS)
        record = recorded(gate, settings, evidence, versions[::-1], progress=progress)
    keep_record(client, candidate, record)
    return record


def find_champion(client: "MLClient", settings: Settings) -> AssetVersion | None:
    """Return the version that serves, with its tags; None when there is no endpoint, or none has traffic."""
    try:
        serving = get_online_endpoint(client, settings.online_endpoint)
    except AssetMissing:
        return None
    first = next(iter(serving.shares), None)
    if first is None:
        return None
    return find_model(client, settings, served_model(serving.deployments[first]).version)
