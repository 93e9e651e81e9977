"""The commands `gate`, which fails when the gate does, and `report`, which shows what was found."""

import os
import webbrowser

from mlgates.cli.command import Session
from mlgates.core.checkout import source_state
from mlgates.core.errors import AssetMissing, ConfigurationError, GateFailed
from mlgates.core.gates import GateRecord
from mlgates.core.nearest import did_you_mean
from mlgates.gates.declaration import Gate, Gates, read_gates
from mlgates.gates.recording import broken, run_commit_gate
from mlgates.reports.console import shown
from mlgates.reports.html.page import gate_page
from mlgates.reports.markdown import show_on_run
from mlgates.reports.report_files import markdown_file, read_newest, write, write_gate
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
        record = _about_a_model(session, gates, wanted, version=version, commit=commit)
    else:
        with shown(session.progress) as progress:
            record = run_commit_gate(wanted, settings, commit=commit, progress=progress)
    file = write_gate(record, project.reports)
    session.facts(record.to_dict(), checks_table(record))
    session.say(record.summary)
    session.say(f"report {project.shown(file)}")
    show_on_run(markdown_file(record, project.reports), os.environ, session.say)
    if not record.passed:
        raise GateFailed("\n".join([f"gate {name} failed:", *broken(record)]))


def _about_a_model(session: Session, gates: Gates, gate: Gate, *, version: str | None, commit: str) -> GateRecord:
    client = session.connect()
    # After connecting: these bring in azure-ai-ml, which reads the environment variables that connecting sets.
    from mlgates.delivery.models import keep_page  # noqa: PLC0415
    from mlgates.gates.runs import run_model_gate  # noqa: PLC0415

    with shown(session.progress) as progress:
        record = run_model_gate(
            client, gates, gate, session.settings, version=version, commit=commit, progress=progress
        )
    keep_page(client, record, gate_page(record))
    return record


def report(session: Session, gate_name: str | None, pipeline: str | None, *, opened: bool) -> None:
    """Render the record of a gate or a pipeline again, say where it lies, and show it in the browser if asked."""
    if gate_name and pipeline:
        raise ConfigurationError("--gate and --pipeline name one record each: give one of them")
    project = session.settings.project
    file = write(read_newest(project.reports, gate=gate_name, pipeline=pipeline), project.reports)
    session.say(str(project.shown(file)))
    if opened and not webbrowser.open(file.as_uri()):
        raise AssetMissing(f"no browser could be opened: open {file} yourself")
