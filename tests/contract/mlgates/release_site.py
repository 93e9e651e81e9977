"""A local workspace whose versions of a model need no training, and behave as a file beside them says at the moment."""

import itertools
import json
import shutil
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from amlocal.testing import local_workspace, use
from mlgates.config.project import Project
from mlgates.config.settings import Settings, load_settings
from mlgates.core.errors import WorkspaceUnavailable
from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.ledger import Action, Draft
from mlgates.endpoint_client import Address, EndpointClient
from mlgates.release.locking import Owner
from mlgates.release.release_file import ReleaseConfig, read_release

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlgates.release.context import ReleaseContext

ROOT = Path(__file__).resolve().parents[3]
MODEL = "moody"
SAMPLE = {"input_data": {"columns": ["a", "b"], "index": [0, 1], "data": [[1.0, 2.0], [1.0, -2.0]]}}
RELEASE = {
    "canary": {"steps": [10, 50, 100], "seconds": {"azure": 300, "local": 0.3}},
    "limits": {"max_error_rate": 0.0, "max_median_ms": 600, "max_difference": 0.25, "requests": 3},
    "keep_old_for_hours": 1,
}

# MLflow loads it by name, as it does the flavors that it brings along.
_CODE = """
import os
import pathlib
import time

MOOD = pathlib.Path({mood!r})


class Moody:
    def predict(self, frame, params=None):
        mood = MOOD.read_text()
        if mood == "fails":
            raise ArithmeticError("as asked")
        if mood == "trips":
            MOOD.write_text("good")
            raise ArithmeticError("as asked, once")
        if mood == "slow":
            time.sleep(0.8)
        if mood == "silent":
            os._exit(7)
        positive = frame["a"] + frame["b"] > 0
        return (~positive if mood == "wrong" else positive).astype(int).to_numpy()


def _load_pyfunc(path):
    return Moody()
"""
_MLMODEL = """
flavors:
  python_function:
    loader_module: moody
    code: code
    env: {conda: conda.yaml}
signature:
  inputs: '[{"name": "a", "type": "double"}, {"name": "b", "type": "double"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""
_CONDA = {
    "dependencies": [
        "python",
        {"pip": ["mlflow", "pandas", "azureml-ai-monitoring", "azureml-inference-server-http"]},
    ],
}


@dataclass
class ReleaseSite:
    """A workspace, a project of its own, and the versions that were registered."""

    client: "MLClient"
    settings: Settings
    folder: Path
    declared: ReleaseConfig = field(init=False)
    _candidate: str | None = None

    def __post_init__(self) -> None:
        self.declared = read_release(self.settings.project)

    def mood(self, version: str, mood: str = "good") -> None:
        """Let a version be good, wrong or slow from now on, fail, trip (fail once), or be silent: its process ends."""
        (self.folder / f"mood-{version}").write_text(mood)

    def register(self) -> str:
        """Register another version, which has passed the prod gate; return its number."""
        from azure.ai.ml.entities import Model  # noqa: PLC0415 - imported within the workspace

        version = str(len(list(self.folder.glob("model-*"))) + 1)
        self.mood(version)
        path = self._written(version)
        model = Model(name=MODEL, version=version, path=str(path), type="mlflow_model", tags={"job": self._run()})
        self.client.models.create_or_update(model)
        self.pass_gate(version)
        return version

    def pass_gate(self, version: str, *, passed: bool = True) -> None:
        """Keep a record of the prod gate with a version."""
        from mlgates.delivery.models import keep_record  # noqa: PLC0415
        from mlgates.release.approval import read_artifact  # noqa: PLC0415

        artifact = read_artifact(self.client, self.settings, version)
        verdict = Verdict.PASSED if passed else Verdict.FAILED
        record = GateRecord(
            gate="prod",
            environment="local",
            workspace="local",
            candidate=artifact,
            champion=None,
            results=(CheckResult(name="metrics.auc", verdict=verdict, reason="auc is 0.9", figure=0.9),),
            started="2026-01-01T00:00:00+00:00",
            seconds=1.0,
            commit="c0ffee",
        )
        keep_record(self.client, artifact.asset, record)

    def approve(self, version: str) -> None:
        """Approve a version."""
        from mlgates.core.progress import Silent  # noqa: PLC0415
        from mlgates.release.approval import decide  # noqa: PLC0415

        named = f"{MODEL}:{version}"
        decision = Draft(action=Action.APPROVED, by="Ann", model=named, reason="better")
        decide(self.client, self.settings, decision, progress=Silent())

    def approved(self) -> str:
        """Register a version that passed the gate and is approved; return its number."""
        version = self.register()
        self.approve(version)
        return version

    def context(self, owner: Owner | None = None) -> "ReleaseContext":
        """Return what a release works with, as a process of its own would have it."""
        from mlgates.delivery.workspace_ledger import Ledger  # noqa: PLC0415
        from mlgates.release.context import ReleaseContext  # noqa: PLC0415

        ledger = Ledger.of(self.client, self.settings)
        return ReleaseContext(self.client, self.settings, self.declared, ledger, owner or dead_process())

    def candidate(self) -> str:
        """Return a version that is approved; always the same, since what is deployed already is there soon."""
        from mlgates.release.approval import latest_decision  # noqa: PLC0415

        version = self._candidate or self.register()
        self._candidate = version
        last = latest_decision(self.context().ledger.entries(), f"{MODEL}:{version}")
        if last is None or last.action is not Action.APPROVED:
            self.approve(version)
        return version

    def address(self) -> Address:
        """Return where the endpoint is asked as any caller does."""
        from mlgates.delivery.online import address  # noqa: PLC0415

        return address(self.client, self.settings.online_endpoint)

    def name_of(self, version: str) -> str:
        """Return the deployment that serves a version."""
        from mlgates.delivery.operations import get_online_endpoint, served_model  # noqa: PLC0415

        found = get_online_endpoint(self.client, self.settings.online_endpoint).deployments
        return next(name for name, each in found.items() if served_model(each).version == version)

    def tag(self, version: str) -> str | None:
        """Return what the workspace says of the release of a version."""
        tags = self.client.models.get(MODEL, version).tags
        return str(tags["released"]) if "released" in tags else None

    def traffic(self) -> dict[str, int]:
        """Return the percentage of traffic by version."""
        from mlgates.delivery.operations import get_online_endpoint, served_model  # noqa: PLC0415

        serving = get_online_endpoint(self.client, self.settings.online_endpoint)
        return {served_model(serving.deployments[name]).version: share for name, share in serving.shares.items()}

    def shares(self) -> dict[str, int]:
        """Return the percentage of traffic by deployment."""
        from mlgates.delivery.operations import get_online_endpoint  # noqa: PLC0415

        return dict(get_online_endpoint(self.client, self.settings.online_endpoint).shares)

    def batch_version(self) -> str:
        """Return the version that scores files."""
        from mlgates.delivery.operations import get_batch_endpoint, served_model  # noqa: PLC0415

        serving = get_batch_endpoint(self.client, self.settings.batch_endpoint)
        return served_model(serving.deployments[serving.default or ""]).version

    def _written(self, version: str) -> Path:
        folder = self.folder / f"model-{version}"
        (folder / "code").mkdir(parents=True)
        (folder / "code" / "moody.py").write_text(_CODE.format(mood=str(self.folder / f"mood-{version}")))
        (folder / "MLmodel").write_text(_MLMODEL)
        (folder / "conda.yaml").write_text(yaml.safe_dump(_CONDA))
        return folder

    def _run(self) -> str:
        import mlflow  # noqa: PLC0415 - takes seconds

        from mlgates.delivery.mlflow_runs import tracking_uri  # noqa: PLC0415

        tracker = mlflow.MlflowClient(tracking_uri(self.client))
        experiment = tracker.get_experiment_by_name("moods")
        number = experiment.experiment_id if experiment else tracker.create_experiment("moods")
        return str(tracker.create_run(number).info.run_id)


_ATTEMPTS = itertools.count(1)


def dead_process() -> Owner:
    """Return an owner whose process is not there any more: what it held may be taken over."""
    return Owner(name="ann@host", id=uuid.uuid4().hex, run="a run", attempt=next(_ATTEMPTS))


class Stopped(BaseException):
    """The process is killed: nothing is put in order."""


class Callers:
    """Asks the endpoint, traffic deciding, one request after the other; counts who answered, and how."""

    def __init__(self, address: Address) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()
        self.unanswered = 0
        self._address = address
        self._over = threading.Event()
        self._moved = threading.Condition()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Callers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def wait_for(self, more: int) -> None:
        """Wait until so many more requests have come back."""
        goal = self.counts.total() + more
        with self._moved:
            assert self._moved.wait_for(lambda: self.counts.total() >= goal, timeout=60)

    def snapshot(self) -> Counter[tuple[str, int]]:
        """Return the counts of now."""
        with self._moved:
            return self.counts.copy()

    def _ask(self) -> None:
        endpoint = EndpointClient(self._address)
        while not self._over.is_set():
            try:
                answer = endpoint.score(json.dumps(SAMPLE).encode(), {"Content-Type": "application/json"})
            except WorkspaceUnavailable:
                self.unanswered += 1
                continue
            assert endpoint.last is not None
            with self._moved:
                self.counts[endpoint.last.deployment, answer.status] += 1
                self._moved.notify_all()
        endpoint.close()


@contextmanager
def release_site(folder: Path) -> Iterator[ReleaseSite]:
    """Start a workspace below `folder`, with a project of its own."""
    project = _project(folder / "project")
    settings = load_settings(project, "local", environ={})
    # Where the commands look for it too, when they run as processes of their own.
    names = {"workspace": settings.aml_workspace_name, "resource_group": settings.resource_group_name}
    with local_workspace(project.local_state, **names) as workspace, use(workspace):
        from azure.ai.ml import MLClient  # noqa: PLC0415 - it reads the workspace's variables
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        scope = (workspace.subscription, workspace.resource_group, workspace.name)
        client = MLClient(DefaultAzureCredential(), *scope, show_progress=False)
        yield ReleaseSite(client, settings, folder)


def _project(root: Path) -> Project:
    shutil.copytree(ROOT / "mlops", root / "mlops")
    (root / "data").mkdir()
    (root / "data" / "online.json").write_text(json.dumps(SAMPLE))
    (root / "data" / "batch.csv").write_text("a,b\n1.0,2.0\n1.0,-2.0\n0.5,-0.1\n-1.0,0.0\n")
    names = root / "mlops" / "config-mlops.yml"
    declared = yaml.safe_load(names.read_text())
    declared["variables"] |= {
        "MODEL_NAME": MODEL,
        "ONLINE_SAMPLE_REQUEST": "data/online.json",
        "BATCH_SAMPLE_REQUEST": "data/batch.csv",
    }
    names.write_text(yaml.safe_dump(declared))
    (root / "mlops" / "release.yml").write_text(yaml.safe_dump(RELEASE))
    return Project(root)
