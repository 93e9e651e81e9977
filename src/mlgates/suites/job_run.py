"""The declared training job, run as a process in a copy of its snapshot, and what it left behind.

Nothing but a folder records it: MLflow's file store, which needs neither a server nor a database.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlgates.config.declaring import read_yaml
from mlgates.config.project import Project
from mlgates.core.errors import ConfigurationError
from mlgates.suites import observed

_PLACE = re.compile(r"\$\{\{\s*(inputs|outputs)\.([\w.]+)\s*\}\}")
_DATA = ("uri_file", "uri_folder", "mltable")
_LOGGED = 4000
"""Characters at the end of what the job printed that a failed test shows."""
_STATUS_FINISHED = "3"
DATA = Path("data", "table.csv")
SECONDS = 300.0
"""A training on some hundred rows takes no longer."""


@dataclass(frozen=True, slots=True)
class DeclaredJob:
    """What pipeline.yml says."""

    command: str
    code: Path
    inputs: Mapping[str, Any]
    """The values of inputs that are no data."""
    data: tuple[str, ...]
    variables: Mapping[str, str]
    model_path: str


def read_job(project: Project) -> DeclaredJob:
    """Return the declared training job. Raises `ConfigurationError` for one that is no command."""
    file = project.training / "pipeline.yml"
    shown = project.shown(file)
    declared = read_yaml(file, shown, "it says which command trains")
    if not isinstance(declared, dict) or not isinstance(declared.get("command"), str):
        raise ConfigurationError(f"{shown}: a job with a 'command' is run by the unit suite, and this is none")
    inputs = declared.get("inputs") or {}
    data = tuple(name for name, each in inputs.items() if isinstance(each, dict) and each.get("type") in _DATA)
    values = {name: _value(each) for name, each in inputs.items() if name not in data}
    variables = {name: str(each) for name, each in (declared.get("environment_variables") or {}).items()}
    names = read_yaml(project.names_file, project.shown(project.names_file), "it has the project's names")
    known = names.get("variables") if isinstance(names, dict) else None
    path = os.environ.get("MODEL_PATH") or (known or {}).get("MODEL_PATH") or variables.get("MODEL_PATH") or "model"
    code = (file.parent / str(declared.get("code") or ".")).resolve()
    return DeclaredJob(declared["command"], code, values, data, {**variables, "MODEL_PATH": str(path)}, str(path))


def _value(declared: Any) -> Any:
    return declared.get("default", declared.get("path", "")) if isinstance(declared, dict) else declared


@dataclass(frozen=True, slots=True)
class JobRun:
    """A job that came to its end."""

    declared: DeclaredJob
    exit_code: int
    output: str
    store: Path
    reached: Path
    data: Path

    @property
    def told(self) -> str:
        """The end of what it printed."""
        return self.output[-_LOGGED:]

    @property
    def runs(self) -> list[Path]:
        """The folders of the MLflow runs that it recorded."""
        return sorted(file.parent for file in self.store.glob("*/*/meta.yaml") if (file.parent / "metrics").is_dir())

    @property
    def run(self) -> Path:
        """The folder of the only run."""
        return self.runs[0]

    @property
    def finished(self) -> bool:
        """Whether MLflow has the run as finished."""
        meta = (self.run / "meta.yaml").read_text(encoding="utf-8")
        return re.search(rf"^status: {_STATUS_FINISHED}$", meta, re.MULTILINE) is not None

    @property
    def artifacts(self) -> Path:
        """The folder of the run's artifacts."""
        return self.run / "artifacts"

    @property
    def model(self) -> Path:
        """Where the model must be, to be registered."""
        return self.artifacts / self.declared.model_path

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        folder = self.run / "metrics"
        files = [file for file in folder.rglob("*") if file.is_file()]
        return {
            file.relative_to(folder).as_posix(): float(file.read_text().split("\n")[-2].split()[1]) for file in files
        }

    @property
    def found(self) -> dict[str, list[str]]:
        """What its programs reached for: `absolute` paths, `network` addresses, `modules` outside of the snapshot."""
        records = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(self.reached.glob("*.json"))]
        kinds = ("absolute", "network", "modules")
        found = {kind: sorted({each for record in records for each in record[kind]}) for kind in kinds}
        # MLflow looks for a git repository in all folders above; what is not there has given nothing to the model.
        found["absolute"] = [
            each for each in found["absolute"] if Path(each).exists() and ".git" not in Path(each).parts
        ]
        return found


@dataclass(frozen=True, slots=True)
class StartedJob:
    """A job that runs."""

    declared: DeclaredJob
    process: "subprocess.Popen[bytes]"
    work: Path

    def wait(self) -> JobRun:
        """Return the job when it has ended; after five minutes it is ended here."""
        try:
            code = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            code = self.process.wait()
        output = (self.work / "output.txt").read_text(encoding="utf-8", errors="replace")
        return JobRun(self.declared, code, output, self.work / "mlruns", self.work / "reached", self.work / DATA)

    def end(self) -> None:
        """End it with all that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)


def start_job(declared: DeclaredJob, table: pd.DataFrame, work: Path) -> StartedJob:
    """Start the job on a table, in a folder `work` that is its own."""
    # Imported here: azure-ai-ml takes seconds.
    from mlgates.delivery.snapshot import copy_snapshot  # noqa: PLC0415

    snapshot = copy_snapshot(declared.code, work / "snapshot")
    for name in ("data", "reached", "tmp", "hooks"):
        (work / name).mkdir()
    table.to_csv(work / DATA, index=False)
    shutil.copyfile(observed.__file__, work / "hooks" / "sitecustomize.py")
    with (work / "output.txt").open("wb") as output:
        process = subprocess.Popen(  # noqa: S602 - the project's own command, in a shell as Azure ML has it
            _filled(declared, work),
            shell=True,
            cwd=snapshot,
            env=_environ(declared, work),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return StartedJob(declared, process, work)


_NOT_THE_JOBS = (
    *("ARM_", "AZURE", "IDENTITY_", "MSI_", "REGISTRY_DISCOVERY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
    *("MLFLOW_", "PYTEST_", "COV_"),
)
"""Variables that lead to a workspace, which another test of this process may have set, or belong to pytest."""


def _environ(declared: DeclaredJob, work: Path) -> dict[str, str]:
    return {
        **{name: each for name, each in os.environ.items() if not name.startswith(_NOT_THE_JOBS)},
        **declared.variables,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(work / "hooks"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(work / "tmp"),
        "MPLBACKEND": "agg",
        "MLFLOW_TRACKING_URI": (work / "mlruns").as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",  # its own network, not the training's
        observed.RECORD: str(work / "reached"),
        f"{observed.RECORD}_SNAPSHOT": str(work / "snapshot"),
        f"{observed.RECORD}_ALLOWED": str(work),
    }


def _filled(declared: DeclaredJob, work: Path) -> str:
    """Return the command with its inputs and outputs in place."""

    def fill(place: "re.Match[str]") -> str:
        kind, name = place.groups()
        if kind == "outputs":
            return str(work / "tmp" / name)
        if name in declared.data:
            return str(work / DATA)
        if name not in declared.inputs:
            raise ConfigurationError(f"pipeline.yml: the command names inputs.{name}, which is not declared")
        return str(declared.inputs[name])

    return _PLACE.sub(fill, " ".join(declared.command.split("\n")))
