"""How a version is approved or rejected: once, by somebody, for a reason, for the very files that passed the gate."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.ledger import Action, Draft, Entry
from mlgates.core.progress import Progress
from mlgates.delivery.ledger import Ledger
from mlgates.release.rules import check_decision
from mlgates.release.subject import Content, content_of, passed_record

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def decide(
    client: "MLClient",
    settings: Settings,
    model: str,
    action: Action,
    *,
    by: str,
    reason: str,
    gate_record: str | None = None,
    progress: Progress,
) -> Entry:
    """Record that `model` (`classifier:3`) is approved or rejected; return the entry.

    Raises `ConfigurationError` for nobody or no reason, `AssetMissing` for a version that is not there, `NotAllowed`
    when the version did not pass the gate, or was decided on before.
    """
    version = version_of(model, settings)
    who, why = given(by, "by", "who decides"), given(reason, "reason", "why")
    ledger = Ledger.of(client, settings)
    check_decision(ledger.entries(), model, action)  # before anything is downloaded
    content = progress.run("content", lambda: content_of(client, settings, version))
    # One may reject what did not even pass.
    record = passed_record(client, content, named=gate_record).sha256 if action is Action.APPROVED else ""
    draft = Draft(
        action=action, by=who, model=model, sha256=content.sha256, reason=why, gate_record=record or gate_record or ""
    )
    return progress.run("decision", lambda: _recorded(ledger, content, draft))


def version_of(model: str, settings: Settings) -> str:
    """Return the version in `classifier:3`. Raises `AssetMissing` for another model, or without a version."""
    name, _, version = model.partition(":")
    if name != settings.model_name or not version:
        raise AssetMissing(f"'{model}' is no version of this project's model: name it as {settings.model_name}:VERSION")
    return version


def given(text: str, option: str, what: str) -> str:
    """Return what an option was given, on one line. Raises `ConfigurationError` when that is nothing."""
    told = " ".join(text.split())
    if not told:
        raise ConfigurationError(f"--{option} is empty: say {what}")
    return told


def _recorded(ledger: Ledger, content: Content, draft: Draft) -> Entry:
    def decided(entries: Sequence[Entry]) -> Draft:
        check_decision(entries, draft.model, draft.action, content.sha256)
        return draft

    return ledger.append(decided, content.model)
