"""How a pipeline runs a layer of tests: pytest in a process of its own, against what it has deployed."""

import os
import subprocess
import sys
from collections import deque

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, SuiteFailed
from mlgates.core.progress import Progress
from mlgates.gates.suite_reports import SUITES
from mlgates.pipelines.stages import Said

_TAIL_LINES = 25


def run_suite(layer: str, settings: Settings, *, progress: Progress) -> Said:
    """Run the suite `layer` of the project; its lines are told as a job's log is.

    Raises `SuiteFailed` with the last lines when a test fails, `AssetMissing` when the project has no such suite.
    """
    project = settings.project
    folder = project.root / "tests" / layer
    if not folder.is_dir():
        raise AssetMissing(f"{project.shown(folder)} is not there: the pipeline runs the project's suite {layer}")
    command = [sys.executable, "-m", "pytest", str(folder), "--env", settings.environment, "-q", "--color=no"]
    reports = [
        f"--suite-reports={project.reports / SUITES}",
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
    return Said(tail[-1] if tail else "passed")
