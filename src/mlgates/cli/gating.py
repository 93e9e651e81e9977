"""The command `gate`: runs a gate, shows every check, keeps the record, and fails when the gate stays shut."""

import json
import os
import tempfile
from pathlib import Path

from mlgates.cli.session import Session
from mlgates.core.errors import ConfigurationError, GateFailed
from mlgates.core.gates import GateRecord
from mlgates.core.nearest import did_you_mean
from mlgates.delivery.source import source_state
from mlgates.gates.declaration import read_gates
from mlgates.gates.recording import broken, run_commit_gate
from mlgates.reports.console import show as shown


def gate(session: Session, name: str, version: str | None) -> None:
    """Run the gate `name`; a gate that wants a model connects to the workspace."""
    settings = session.settings
    project = settings.project
    gates = read_gates(project.gates_file, project.shown(project.gates_file))
    if name not in gates.gates:
        raise ConfigurationError(
            f"{project.shown(project.gates_file)} declares no gate '{name}'. {did_you_mean(name, gates.gates)}"
        )
    wanted = gates.gates[name]
    commit = source_state(project.root, os.environ).commit
    if wanted.wants_model:
        with tempfile.TemporaryDirectory() as folder:
            client = session.connect()
            # After connecting: this brings in azure-ai-ml, which reads the environment variables that connecting sets.
            from mlgates.gates.runs import run_model_gate  # noqa: PLC0415

            run = run_model_gate(client, gates, wanted, settings, Path(folder), version=version, commit=commit)
            record = shown(run, session.progress)
    else:
        record = shown(run_commit_gate(wanted, settings, commit=commit), session.progress)
    file = write(record, project.reports)
    session.say(record.summary)
    session.say(f"record {project.shown(file)}")
    if not record.passed:
        raise GateFailed("\n".join([f"gate {name} stays shut:", *broken(record)]))


def write(record: GateRecord, reports: Path) -> Path:
    """Write a record as JSON below `reports`, whole or not at all; return the file."""
    file = reports / "gates" / f"{record.gate}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(record.to_dict(), indent=2), encoding="utf-8")
    part.replace(file)
    return file
