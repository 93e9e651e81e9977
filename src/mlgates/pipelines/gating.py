"""How a pipeline comes to a gate: its record is written before the gate decides whether the pipeline goes on."""

import tempfile
from pathlib import Path

from mlgates.core.errors import ConfigurationError, GateFailed
from mlgates.core.gates import GateRecord
from mlgates.core.progress import Progress
from mlgates.delivery.gate_tags import keep_page
from mlgates.gates.declaration import read_gates
from mlgates.gates.recording import broken
from mlgates.gates.runs import run_model_gate
from mlgates.pipelines.work import Work
from mlgates.reports.files import write_gate
from mlgates.reports.html.page import gate_page


def run_gate(work: Work, name: str, *, progress: Progress) -> GateRecord:
    """Run the gate `name` on the model of this run. Raises `GateFailed`, with every reason, when it stays shut."""
    project = work.settings.project
    shown = project.shown(project.gates_file)
    gates = read_gates(project.gates_file, shown)
    if name not in gates.gates:
        raise ConfigurationError(f"{shown} declares no gate '{name}', and the pipeline goes through it")
    if work.model is None:
        raise RuntimeError("a stage that trains comes before the gate")
    with tempfile.TemporaryDirectory() as folder:
        found = run_model_gate(
            work.client,
            gates,
            gates.gates[name],
            work.settings,
            Path(folder),
            version=work.model.version,
            commit=work.source.commit,
            progress=progress,
        )
    work.gates.append(found)
    write_gate(found, project.reports)
    keep_page(work.client, found, gate_page(found))
    if not found.passed:
        raise GateFailed("\n".join([found.summary, *broken(found)]))
    return found
