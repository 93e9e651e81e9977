"""The command `gate`: runs a gate, shows every check, keeps the record, and fails when the gate stays shut."""

import os
import tempfile
from pathlib import Path

from mlgates.cli.session import Session
from mlgates.core.errors import ConfigurationError, GateFailed
from mlgates.core.nearest import did_you_mean
from mlgates.delivery.source import source_state
from mlgates.gates.declaration import read_gates
from mlgates.gates.recording import broken, run_commit_gate
from mlgates.reports.console import show as shown
from mlgates.reports.files import write_gate
from mlgates.reports.tables import checks_table


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
    file = write_gate(record, project.reports)
    session.output.print(checks_table(record))
    session.say(record.summary)
    session.say(f"record {project.shown(file)}")
    if not record.passed:
        raise GateFailed("\n".join([f"gate {name} stays shut:", *broken(record)]))
