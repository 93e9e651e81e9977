"""Who may release a version: decided once, by somebody, for a reason, for the very files that passed the gate."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.contract.model_folder import UnusableSignature, read_contract
from mlgates.contract.signature import ModelContract
from mlgates.core.errors import AssetMissing, ConfigurationError, NotAllowed
from mlgates.core.files import sha256_of_path
from mlgates.core.gates import GateRecord
from mlgates.core.ledger import Action, Draft, Entry
from mlgates.core.progress import Progress
from mlgates.core.values import ModelArtifact, ModelRef, verdict_of
from mlgates.delivery.models import download_model, find_model, read_record
from mlgates.delivery.operations import deployed_checksum
from mlgates.delivery.workspace_ledger import Ledger

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

GATE = "prod"
"""The gate that a version has to pass before anyone is asked."""
_DECISIONS = frozenset({Action.APPROVED, Action.REJECTED, Action.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Served:
    """A version that was given all the traffic of an endpoint."""

    model: str
    """Name and version, `classifier:3`."""
    sha256: str
    deployment: str
    since: str
    """UTC, ISO 8601."""


def decide(client: "MLClient", settings: Settings, decision: Draft, *, progress: Progress) -> Entry:
    """Record that the model of `decision` (`classifier:3`) is approved or rejected; return the entry.

    Its `gate_record` names the record that is decided on, by default the newest. Raises `ConfigurationError` for nobody
    or no reason, `AssetMissing` for a version that is not there, `NotAllowed` when the version did not pass the gate,
    or was decided on before.
    """
    version = version_of(decision.model, settings)
    who = required_text(decision.by, "by", "who decides")
    why = required_text(decision.reason, "reason", "why")
    ledger = Ledger.of(client, settings)
    check_decision(ledger.entries(), decision.model, decision.action)  # before anything is downloaded
    artifact = progress.run("content", lambda: read_artifact(client, settings, version))
    named = decision.gate_record
    if decision.action is Action.APPROVED:  # one may reject what did not even pass
        named = passed_record(client, artifact, named=named or None).sha256
    draft = replace(decision, by=who, reason=why, sha256=artifact.sha256, gate_record=named)
    return progress.run("decision", lambda: _recorded(ledger, artifact, draft))


def version_of(model: str, settings: Settings) -> str:
    """Return the version in `classifier:3`. Raises `AssetMissing` for another model, or without a version."""
    found = ModelRef.match(model)
    if found is None or found.name != settings.model_name:
        raise AssetMissing(f"'{model}' is no version of this project's model: name it as {settings.model_name}:VERSION")
    return found.version


def required_text(text: str, option: str, what: str) -> str:
    """Return what an option was given, on one line. Raises `ConfigurationError` when that is nothing."""
    line = " ".join(text.split())
    if not line:
        raise ConfigurationError(f"--{option} is empty: say {what}")
    return line


def read_artifact(client: "MLClient", settings: Settings, version: str | None) -> ModelArtifact:
    """Return a version of the model, by default the newest, with the checksum of its files. Raises `AssetMissing`."""
    return read_candidate(client, settings, version)[0]


def read_candidate(
    client: "MLClient", settings: Settings, version: str | None
) -> tuple[ModelArtifact, ModelContract | None]:
    """Return what `read_artifact` does, and what its signature promises; None when no request can be drawn from it."""
    model = find_model(client, settings, version)
    with tempfile.TemporaryDirectory() as folder:
        files = download_model(client, model, Path(folder))
        return ModelArtifact(model, sha256_of_path(files)), _contract(files)


def check_unchanged(client: "MLClient", settings: Settings, artifact: ModelArtifact) -> ModelArtifact:
    """Look at the files of a version again; return it. Raises `NotAllowed` when they are not `content` any more."""
    now = read_artifact(client, settings, artifact.asset.version)
    if now.sha256 != artifact.sha256:
        raise NotAllowed(
            f"{artifact.model} has changed on its way: its files give {now.sha256[:12]}, and {artifact.sha256[:12]} "
            "was to be released; look who writes to the storage, and register what you trained as a new version"
        )
    return now


def check_deployed(client: "MLClient", settings: Settings, artifact: ModelArtifact, deployment: str) -> ModelArtifact:
    """Look at the files of an online deployment, and at those that it was made of; return the content.

    Raises `NotAllowed` when either is not `artifact`.
    """
    deployed = deployed_checksum(client, settings.online_endpoint, deployment)
    if deployed is not None and deployed != artifact.sha256:
        raise NotAllowed(
            f"{settings.online_endpoint}/{deployment} has other files than {artifact.model}: they give "
            f"{deployed[:12]}, and {artifact.sha256[:12]} was to be released; look who writes to the storage"
        )
    return check_unchanged(client, settings, artifact)


def check_gate(artifact: ModelArtifact) -> None:
    """Raise `NotAllowed` unless the newest verdict of the gate on a version is that it passed."""
    passed = verdict_of(artifact.tags, GATE)
    if not passed:
        state = f"has not been through gate {GATE}" if passed is None else f"did not pass gate {GATE}"
        raise NotAllowed(f"{artifact.model} {state}: run 'mlgates gate {GATE} --version {artifact.asset.version}'")


def passed_record(client: "MLClient", artifact: ModelArtifact, *, named: str | None = None) -> GateRecord:
    """Return the record by which a version passed the gate with the files that it has now.

    Raises `NotAllowed` when there is none, when it is not the record that was `named` (by the first digits of its
    checksum), or when it is about other files.
    """
    check_gate(artifact)
    record = read_record(client, artifact.asset, GATE)
    if record is None or not record.passed or record.candidate is None:
        raise NotAllowed(f"{artifact.model} has no record of a passed gate {GATE}: run 'mlgates gate {GATE}'")
    if named and not record.sha256.startswith(named):
        raise NotAllowed(
            f"{artifact.model}: the newest record of gate {GATE} is {record.sha256[:12]}, not {named[:12]}: "
            "look at the newest, and decide on that"
        )
    if record.candidate.sha256 != artifact.sha256:
        raise NotAllowed(
            f"{artifact.model} has changed since gate {GATE}: its files give {artifact.sha256[:12]}, the record names "
            f"{record.candidate.sha256[:12]}; register what you trained as a new version"
        )
    return record


def latest_decision(entries: Sequence[Entry], model: str, sha256: str = "") -> Entry | None:
    """Return the decision about a version that counts: an approval, a rejection, or that a release withdrew it.

    What was decided about the same content counts, whatever it was called: a job's model is registered once approved.
    A rejection counts, whatever comes after it, such as the end of a release that was under way; of the others the
    last counts. An approval from before a repair does not: what came after it may be lost.
    """
    about = [
        entry
        for entry in entries
        if entry.action in _DECISIONS and (entry.model == model or (sha256 and entry.sha256 == sha256))
    ]
    rejected = next((entry for entry in about if entry.action is Action.REJECTED), None)
    if rejected is not None or not about:
        return rejected
    last = about[-1]
    is_void = any(entry.action is Action.REPAIRED and entry.number > last.number for entry in entries)
    return None if is_void and last.action is Action.APPROVED else last


def content_known(entries: Sequence[Entry], model: str) -> str:
    """Return the checksum of a version's content as it was written last; empty when no entry has it."""
    return next((entry.sha256 for entry in reversed(entries) if entry.model == model and entry.sha256), "")


def required_approval(entries: Sequence[Entry], model: str, sha256: str) -> Entry:
    """Return the approval under which a version with this content may be released. Raises `NotAllowed`."""
    last = latest_decision(entries, model, sha256)
    if last is None:
        since = " since the ledger was repaired" if any(entry.action is Action.REPAIRED for entry in entries) else ""
        raise NotAllowed(f"{model} is not approved{since}: mlgates approve {model} --by NAME --reason TEXT")
    if last.action is Action.REJECTED:
        raise NotAllowed(f"{model} was rejected by {last.by} ({last.reason}): train another")
    if last.action is Action.WITHDRAWN:
        raise NotAllowed(f"{model} was withdrawn ({last.reason}): approve it again, knowing that, or train another")
    if last.sha256 != sha256:
        raise NotAllowed(
            f"{model} has changed since {last.by} approved it: its files give {sha256[:12]}, the approval is for "
            f"{last.sha256[:12]}; register what you trained as a new version"
        )
    return last


def check_decision(entries: Sequence[Entry], model: str, action: Action, sha256: str = "") -> None:
    """Raise `NotAllowed` when a version cannot be approved, or rejected, any more: it was already, or was rejected."""
    last = latest_decision(entries, model, sha256)
    if last is None or last.action is Action.WITHDRAWN:
        return
    if last.action is action:
        raise NotAllowed(f"{model} was {action} already, by {last.by} on {last.at[:10]} ({last.reason})")
    if last.action is Action.REJECTED:
        raise NotAllowed(f"{model} was rejected by {last.by} ({last.reason}): train another")


def served(entries: Sequence[Entry], endpoint: str) -> tuple[Served, ...]:
    """Return what served at an endpoint, the present version last: a release adds to it, a rollback takes it off."""
    stack: list[Served] = []
    for entry in entries:
        if entry.endpoint != endpoint or entry.action not in {Action.RELEASED, Action.ROLLED_BACK}:
            continue
        if entry.action is Action.ROLLED_BACK:
            # What comes forth served before, maybe under another deployment.
            del stack[-2:]
        stack.append(Served(entry.model, entry.sha256, entry.deployment, entry.at))
    return tuple(stack)


def _recorded(ledger: Ledger, artifact: ModelArtifact, draft: Draft) -> Entry:
    def decided(entries: Sequence[Entry]) -> Draft:
        check_decision(entries, draft.model, draft.action, artifact.sha256)
        return draft

    return ledger.append(decided, artifact.asset)


def _contract(files: Path) -> ModelContract | None:
    try:
        return read_contract(files)
    except UnusableSignature:
        return None
