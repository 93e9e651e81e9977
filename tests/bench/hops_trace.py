"""Which source files a path runs through: a program that serves a workspace, traces itself, and prints JSON.

`PYTHONPATH=OTHER/src python tests/bench/hops_trace.py` counts those of another edition. `PUT job` ends where the
process of the job is started, `POST score` where the scoring process calls `predict`. What counts is a file of which a
function is entered; what importing it runs does not.
"""

import inspect
import json
import os
import signal
import ssl
import sys
import tempfile
import threading
import time
import urllib.request
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import amlocal

SOURCE = f"{Path(amlocal.__file__).resolve().parents[1]}/"
_COUNTED = 3
"""So often each path is traced: what counts is what ran each time."""
_ENTERED = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS  # a function; a module or the body of a class is not both
# Runs the scoring process, and leaves what it ran from the last look at its socket to `predict` beside it.
_SCORING = """
import json, os, runpy, sys
from collections import Counter
entered = Counter()
def hear(frame, event, argument):
    code = frame.f_code
    if event == "c_call" and argument.__name__ == "recv":
        entered.clear()
    elif event != "call":
        return
    if code.co_filename.startswith(SOURCE) and code.co_flags & 3 == 3:
        entered[code.co_filename[len(SOURCE):]] += 1
    if code.co_name == "predict" and code.co_filename.endswith("mlflow/pyfunc/__init__.py"):
        print("HOPS " + json.dumps(entered), file=sys.stderr, flush=True)
sys.argv[0] = LAUNCH
sys.setprofile(hear)
runpy.run_path(LAUNCH, run_name="__main__")
"""


def files_of(frame: FrameType | None) -> list[str]:
    """Return the files of the functions that have led to a frame, the innermost first."""
    found = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(SOURCE) and code.co_flags & _ENTERED == _ENTERED:
            found.append(code.co_filename.removeprefix(SOURCE))
        frame = frame.f_back
    return found


class Trace:
    """Counts the calls into each file of the source while it is on."""

    def __init__(self) -> None:
        self._on = False
        self.entered: Counter[str] = Counter()
        self.watch: Callable[[Trace, FrameType], None] = lambda trace, frame: None
        """Told of every call, of any file: turns the counting on and off."""

    def __enter__(self) -> "Trace":
        threading.setprofile(self._hear)
        sys.setprofile(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        threading.setprofile(None)
        sys.setprofile(None)

    def start(self, frame: FrameType | None) -> None:
        """Count from here on, and what has led here in this turn of the event loop."""
        self.entered.clear()
        self._on = True
        while frame is not None and not frame.f_code.co_filename.endswith("asyncio/runners.py"):
            self._count(frame)
            frame = frame.f_back

    def stop(self) -> dict[str, int]:
        """Return the calls since the start, by file; {} when it was stopped already."""
        found = dict(self.entered) if self._on else {}
        self._on = False
        return found

    def _hear(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            self.watch(self, frame)
            if self._on:
                self._count(frame)

    def _count(self, frame: FrameType) -> None:
        code = frame.f_code
        if code.co_filename.startswith(SOURCE) and code.co_flags & _ENTERED == _ENTERED:
            self.entered[code.co_filename.removeprefix(SOURCE)] += 1


class _Paths:
    """Knows where the two paths begin and end. Only requests that come after `armed` are counted."""

    def __init__(self) -> None:
        self.armed = False
        self.found: dict[str, dict[str, int]] = {}
        self.sent = threading.Event()

    def watch(self, trace: Trace, frame: FrameType) -> None:
        """Turn the trace on at the first bytes of a request, and off at the end of its path."""
        if not self.armed:
            return
        match frame.f_code.co_name:
            case "data_received" if frame.f_code.co_filename.endswith("httptools_impl.py"):
                data = bytes(frame.f_locals.get("data", b""))
                if (data.startswith(b"PUT ") and b"/jobs/" in data) or data.startswith(b"POST /endpoints/"):
                    trace.start(frame)
            case "data_received" if "/online/" in frame.f_code.co_filename:  # the answer of the scoring process
                self._end("POST score", trace)
            case "create_subprocess_exec" if frame.f_back and "/jobs/" in frame.f_back.f_code.co_filename:
                self._end("PUT job", trace)

    def _end(self, path: str, trace: Trace) -> None:
        if found := trace.stop():
            before = self.found.get(path, found)  # a neighbour's work may come in between, and not each time
            self.found[path] = {file: calls for file, calls in found.items() if file in before}
            self.armed = False
            self.sent.set()


def main() -> None:
    """Serve, ask, print."""
    from amlocal.server import serve  # noqa: PLC0415
    from amlocal.settings import Settings  # noqa: PLC0415

    warnings.simplefilter("ignore")  # azure-ai-ml's own
    paths, trace = _Paths(), Trace()
    trace.watch = paths.watch
    with tempfile.TemporaryDirectory(prefix="amlocal-", ignore_cleanup_errors=True) as folder:
        settings = Settings(root=Path(folder) / "root")
        _trace_scoring(Path(folder) / "launch.py")
        failed: list[BaseException] = []

        def drive() -> None:
            try:
                _drive(paths, settings, Path(folder))
            except BaseException as error:  # noqa: BLE001 - reported below, when the server has ended
                failed.append(error)
            os.kill(os.getpid(), signal.SIGTERM)

        asker = threading.Thread(target=drive)
        with trace:
            serve(settings, lambda *_: asker.start())
        asker.join()
    if failed:
        raise failed[0]
    print(f"\n{json.dumps(paths.found)}")  # noqa: T201 - after the dots that azure-ai-ml prints


def _trace_scoring(wrapper: Path) -> None:
    """Have the scoring process run under a trace of its own."""
    try:
        from amlocal.online_scoring import launch  # noqa: PLC0415
    except ImportError:  # the first edition's name
        from amlocal.serving import launch  # type: ignore[import-not-found, no-redef] # noqa: PLC0415

    wrapper.write_text(f"SOURCE, LAUNCH = {SOURCE!r}, {launch.__file__!r}\n{_SCORING}")
    launch.__file__ = str(wrapper)


def _drive(paths: _Paths, settings: Any, folder: Path) -> None:
    """Ask for each path, and count when everything is loaded and there."""
    sys.setprofile(None)
    from amlocal.launcher import find  # noqa: PLC0415

    if (running := find(settings.folder)) is None:
        raise RuntimeError("the server that has just started is not found")
    os.environ.update(running.environ())
    from azure.ai.ml import MLClient  # noqa: PLC0415
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    names = running.identity
    client = MLClient(DefaultAzureCredential(), names.subscription, names.resource_group, names.name)
    token = DefaultAzureCredential().get_token("https://management.azure.com/.default").token
    _jobs(paths, client, folder, f"{running.origin}{names.arm_id}/jobs", token)
    _scores(paths, client, folder)


def _ask(method: str, url: str, token: str, body: bytes | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    trust = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
    asked = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(asked, context=trust) as answer:
        content: bytes = answer.read()
    return content


def _jobs(paths: _Paths, client: Any, folder: Path, url: str, token: str) -> None:
    from azure.ai.ml import Input, Output, command  # noqa: PLC0415
    from azure.ai.ml.entities import Data, Environment  # noqa: PLC0415

    environment = client.environments.create_or_update(Environment(name="hello", image="ubuntu"))
    (folder / "code").mkdir()
    (folder / "code" / "main.py").write_text("pass")
    (folder / "data.csv").write_text("a\n1\n")
    client.data.create_or_update(Data(name="rows", version="1", path=str(folder / "data.csv"), type="uri_file"))
    job = command(
        code=str(folder / "code"),
        command="cat ${{inputs.rows}} > ${{outputs.copy}}/copy",
        inputs={"rows": Input(type="uri_file", path="azureml:rows:1")},
        outputs={"copy": Output(type="uri_folder")},
        environment=f"hello:{environment.version}",
        compute="cpu-cluster",
    )
    job = client.jobs.create_or_update(job)
    while job.status not in {"Completed", "Failed"}:
        time.sleep(0.2)
        job = client.jobs.get(job.name)
    if job.status == "Failed":
        raise RuntimeError(f"job {job.name} failed")
    version = "?api-version=2024-10-01"
    properties = json.loads(_ask("GET", f"{url}/{job.name}{version}", token))["properties"]
    for number in range(_COUNTED):
        # Not by azure-ai-ml, which asks for other things meanwhile.
        paths.armed = True
        _ask("PUT", f"{url}/counted-{number}{version}", token, json.dumps({"properties": properties}).encode())
        if not paths.sent.wait(60):
            raise RuntimeError("the job was not started")
        paths.sent.clear()
        while client.jobs.get(f"counted-{number}").status not in {"Completed", "Failed"}:
            time.sleep(0.2)


def _scores(paths: _Paths, client: Any, folder: Path) -> None:
    import mlflow.sklearn  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415
    from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint, Model  # noqa: PLC0415
    from mlflow.models import infer_signature  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    rows = pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 0.0]})
    model = LogisticRegression().fit(rows, [0, 1])
    signature = infer_signature(rows, model.predict(rows))
    # named, since to look for the packages is to load the model in another process
    packages = ["azureml-ai-monitoring", "azureml-inference-server-http", "mlflow", "scikit-learn", "pandas", "numpy"]
    mlflow.sklearn.save_model(
        model, folder / "model", signature=signature, input_example=rows, pip_requirements=packages,
        serialization_format="cloudpickle",
    )  # fmt: skip
    client.models.create_or_update(Model(name="m", version="1", path=str(folder / "model"), type="mlflow_model"))
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="hops")).result()
    deployment = ManagedOnlineDeployment(
        name="blue", endpoint_name="hops", model="azureml:m:1", instance_type="Standard_E2s_v3", instance_count=1
    )
    client.online_deployments.begin_create_or_update(deployment).result()
    endpoint = client.online_endpoints.get("hops")
    endpoint.traffic = {"blue": 100}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    key, url = client.online_endpoints.get_keys("hops").primary_key, client.online_endpoints.get("hops").scoring_uri
    body = json.dumps({"input_data": {"columns": ["a", "b"], "index": [0], "data": [[1.0, 2.0]]}}).encode()
    for armed in (False, *[True] * _COUNTED):
        paths.armed = armed
        _ask("POST", url, key, body)
    log = client.online_deployments.get_logs("blue", "hops", lines=200)
    written = [line.partition("HOPS ")[2] for line in log.splitlines() if "HOPS " in line]
    paths.found["POST score, scoring process"] = json.loads(written[-1])


if __name__ == "__main__":
    main()
