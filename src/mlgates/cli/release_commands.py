"""The commands of decisions and releases: approve, reject, history, release, rollback, unlock, tidy, ledger."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from mlgates.cli.command import Session
from mlgates.core.errors import ConfigurationError, LedgerBroken
from mlgates.core.ledger import Draft
from mlgates.delivery.sdk import preload
from mlgates.delivery.workspace_ledger import Ledger
from mlgates.release import approval, blue_green, ledger_repair, releasing
from mlgates.release.context import ReleaseContext
from mlgates.release.locking import free_lock
from mlgates.release.rollback import rollback as roll_back
from mlgates.reports.console import shown
from mlgates.reports.tables import history_table

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def decide(session: Session, client: "MLClient", decision: Draft) -> None:
    """Approve or reject a version."""
    with shown(session.progress) as progress:
        entry = approval.decide(client, session.settings, decision, progress=progress)
    session.say(f"{entry.summary}: {entry.reason}")
    session.say(f"content {entry.sha256}")
    if entry.gate_record:
        session.say(f"record  {entry.gate_record}")


def history(session: Session, client: "MLClient", version: str | None) -> None:
    """List what was decided and done. Raises `LedgerBroken` when the chain is."""
    ledger = Ledger.of(client, session.settings)
    reading = ledger.read()
    wanted = f"{session.settings.model_name}:{version}" if version else None
    entries = [entry for entry in reading.entries if wanted in {None, entry.model}]
    facts = {"ledger": ledger.name, "fault": reading.fault or None, "entries": list(map(asdict, entries))}
    session.facts(facts, history_table(entries))
    if reading.fault:
        raise LedgerBroken(f"the chain of ledger {ledger.name} is broken: {reading.fault}")


def release(session: Session, client: "MLClient", version: str | None, *, canary: bool, by: str) -> None:
    """Release a version."""
    preload()  # azure-ai-ml imports MLflow at its first change of an endpoint: not when the traffic moves, please
    with shown(session.progress) as progress:
        released = releasing.release(
            ReleaseContext.of(client, session.settings, by=by), version, canary=canary, progress=progress
        )
    session.say(released.summary)


def rollback(session: Session, client: "MLClient", *, by: str, reason: str) -> None:
    """Return to the version that served before."""
    preload()
    with shown(session.progress) as progress:
        released = roll_back(ReleaseContext.of(client, session.settings, by=by), reason=reason, progress=progress)
    session.say(released.summary)


def unlock(session: Session, client: "MLClient", *, by: str, reason: str) -> None:
    """Break the lock of the endpoint."""
    if not by.strip():
        raise ConfigurationError("--by is empty: say who breaks the lock")
    settings = session.settings
    entry = free_lock(Ledger.of(client, settings), settings.online_endpoint, by=by.strip(), reason=reason)
    session.say(f"{settings.online_endpoint} is free: the lock for {entry.model} is broken by {entry.by}")


def verify_ledger(session: Session, client: "MLClient") -> None:
    """Say what of the ledger agrees with its anchors. Raises `LedgerBroken` when something does not."""
    findings = ledger_repair.look(client, session.settings)
    for line in findings.lines():
        session.say(line)
    if findings.reading.fault:
        raise LedgerBroken(
            f"ledger {findings.ledger} is broken: {findings.reading.fault}; nothing is decided on it until somebody "
            f"repairs it: mlgates ledger repair --env {session.settings.environment} --by NAME --reason TEXT"
        )


def repair_ledger(session: Session, client: "MLClient", *, by: str, reason: str) -> None:
    """Write that the ledger was broken, and go on."""
    entry = ledger_repair.repair(client, session.settings, by=by, reason=reason)
    session.say(f"entry {entry.number}: repaired by {entry.by}: {entry.reason}")
    session.say(f"found: {entry.facts['found']}")
    session.say(f"kept: {entry.facts['kept']}; what was approved before has to be approved again")


def tidy(session: Session, client: "MLClient") -> None:
    """Take away old deployments."""
    with shown(session.progress) as progress:
        outcomes = blue_green.tidy(ReleaseContext.of(client, session.settings), progress=progress)
    for outcome in outcomes:
        session.say(outcome.summary)
    if not outcomes:
        session.say("nothing to take away: no deployment is without traffic for as long as mlops/release.yml keeps it")
