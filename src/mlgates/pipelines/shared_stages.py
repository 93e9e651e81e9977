"""The stages that dev and prod share: training from the build alone, a gate, and a layer of tests."""

import os
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, replace
from functools import partial

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, ConfigurationError, GateFailed, SuiteFailed
from mlgates.core.gates import GateRecord
from mlgates.core.progress import Progress, side_by_side
from mlgates.core.values import Job
from mlgates.delivery.models import keep_page
from mlgates.delivery.sdk import preload
from mlgates.delivery.training import begin, finish
from mlgates.gates.declaration import read_gates
from mlgates.gates.recording import broken
from mlgates.gates.runs import run_model_gate
from mlgates.gates.suite_reports import SUITES
from mlgates.pipelines.pipeline_run import PipelineRun, Summary
from mlgates.reports.html.page import gate_page
from mlgates.reports.report_files import write_gate

_TAIL_LINES = 25


@dataclass(frozen=True, slots=True)
class Trained:
    """A job, and the reproducibility run that is to give the same."""

    job: Job
    reproduction: Job | None = None

    @property
    def summary(self) -> str:
        """In one phrase."""
        return f"{self.job.summary}" + (f", and again as {self.reproduction.name}" if self.reproduction else "")


def train_once(run: PipelineRun, *, progress: Progress) -> Trained:
    """Train from the build; a job of the same fingerprint is taken as it is, and followed while it still runs."""
    preload()
    settings, request = run.training()
    job = begin(run.client, settings, request, force=run.request.force_retrain, progress=progress)
    run.job = finish(run.client, settings, job, progress=progress)
    return Trained(run.job)


def train_twice(run: PipelineRun, *, progress: Progress) -> Trained:
    """Train as `train_once`, and a second time at the same time, to show that the result can be reproduced."""
    preload()
    settings, request = run.training()
    job = begin(run.client, settings, request, force=run.request.force_retrain, progress=progress)
    request = replace(request, reproduces=job.name)
    second = begin(run.client, settings, request, force=run.request.force_retrain, progress=progress)

    def follow(name: str, followed: Job, progress: Progress) -> Job:
        return finish(run.client, settings, followed, name=name, progress=progress)

    runs = {
        "job": partial(follow, "job", job),
        "reproducibility run": partial(follow, "reproducibility run", second),
    }
    run.job, second = side_by_side(runs, progress=progress).values()
    return Trained(run.job, second)


def run_gate(run: PipelineRun, name: str, *, progress: Progress) -> GateRecord:
    """Run the gate `name` on the model of this run. Raises `GateFailed`, with every reason, when it fails."""
    project = run.settings.project
    shown = project.shown(project.gates_file)
    gates = read_gates(project.gates_file, shown)
    if name not in gates.gates:
        raise ConfigurationError(f"{shown} declares no gate '{name}', and the pipeline goes through it")
    if run.model is None:
        raise RuntimeError("a stage that trains comes before the gate")
    found = run_model_gate(
        run.client,
        gates,
        gates.gates[name],
        run.settings,
        version=run.model.version,
        commit=run.source.commit,
        progress=progress,
    )
    run.gates.append(found)
    write_gate(found, project.reports)
    keep_page(run.client, found, gate_page(found))
    if not found.passed:
        raise GateFailed("\n".join([found.summary, *broken(found)]))
    return found


def run_suite(layer: str, settings: Settings, *, progress: Progress) -> Summary:
    """Run the suite `layer` of the project; its lines go to `progress`, as those of a job's log do.

    Raises `SuiteFailed` with the last lines when a test fails, `AssetMissing` when the project has no such suite.
    """
    project = settings.project
    folder = project.root / "tests" / layer
    if not folder.is_dir():
        raise AssetMissing(f"{project.shown(folder)} is not there: the pipeline runs the project's suite {layer}")
    command = [sys.executable, "-m", "pytest", str(folder), "--mlgates-env", settings.environment, "-q", "--color=no"]
    reports = [
        f"--mlgates-suite-reports={project.reports / SUITES}",
        f"--junit-xml={project.reports / 'junit' / f'{layer}.xml'}",
    ]
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [*command, *reports],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="backslashreplace",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},  # whatever this terminal's own encoding is
    ) as process:
        for line in process.stdout or ():
            tail.append(line.rstrip())
            progress.log(line.rstrip())
    if process.returncode:
        raise SuiteFailed("\n".join([f"the {layer} suite failed:", *(f"  | {line}" for line in tail)]))
    return Summary(tail[-1] if tail else "passed")
