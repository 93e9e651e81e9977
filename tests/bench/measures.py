"""What is measured. Each measure brings up what it needs, on a folder of its own, and takes it down again."""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from amlocal.testing import LocalWorkspace, local_workspace
from tests.bench.figures import Figure

GIGABYTE = 10**9


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _run(*command: str, environ: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **(environ or {})})


class Client:
    """A connection that stays open, with a token."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        trust = ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"])
        self._connection = http.client.HTTPSConnection(workspace.origin.removeprefix("https://"), context=trust)
        secret = {"X-IDENTITY-HEADER": workspace.environ["IDENTITY_HEADER"]}
        token = self._get(f"/msi/token?resource={workspace.origin}", secret)
        self._headers = {"Authorization": f"Bearer {json.loads(token)['access_token']}"}
        self.arm = (
            f"/subscriptions/{workspace.subscription}/resourceGroups/{workspace.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace.name}"
        )

    def _get(self, path: str, headers: dict[str, str]) -> bytes:
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"GET {path} answered {answer.status}: {content!r}")
        return content

    def get(self, path: str) -> bytes:
        """GET below the workspace's ARM id."""
        return self._get(f"{self.arm}{path}?api-version=2024-10-01", self._headers)


def ready() -> list[Figure]:
    """From the start of the process to the answer of the first ARM request, on a new folder and on a used one."""

    def first_request(root: Path) -> float:
        started = time.perf_counter()
        with local_workspace(root) as workspace:
            Client(workspace).get("")
            return time.perf_counter() - started

    new, used = [], []
    for _ in range(5):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            new.append(first_request(Path(folder)))
            used.append(first_request(Path(folder)))
    return [
        Figure("amlocal ready for its first ARM request, new folder", "s", tuple(new), 1.5),
        Figure("amlocal ready for its first ARM request, used folder", "s", tuple(used), 1.5),
    ]


def arm_get() -> list[Figure]:
    """The median of 500 GETs of one resource over one connection."""
    with local_workspace() as workspace:
        client = Client(workspace)
        times = tuple(1000 * _timed(lambda: client.get("/computes/cpu-cluster")) for _ in range(500))
    return [Figure("ARM get, one connection", "ms", times, 3)]


def memory() -> list[Figure]:
    """Resident memory of the idle server's own process, MLflow's child not counted."""
    with local_workspace() as workspace:
        Client(workspace).get("")
        process = next(
            connection
            for connection in psutil.process_iter(["pid", "cmdline"])
            if "serve" in (connection.info["cmdline"] or [])
            and str(workspace.folder.parent) in " ".join(connection.info["cmdline"])
        )
        resident = process.memory_info().rss / 2**20
    return [Figure("memory of the idle server, without MLflow", "MB", (resident,), 150)]


@contextmanager
def _large_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.bin"
        block = os.urandom(2**20)
        with path.open("wb") as file:
            for number in range(GIGABYTE // len(block)):
                file.write(number.to_bytes(8, "big") + block[8:])  # no two blocks alike
        yield path


_UPLOAD = """
import sys, time
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Data
from azure.identity import DefaultAzureCredential
client = MLClient(DefaultAzureCredential(), *sys.argv[1:4])
client.data.create_or_update(Data(name="warm", path=__file__, type="uri_file"))
started = time.perf_counter()
client.data.create_or_update(Data(name="large", path=sys.argv[4], type="uri_file"))
print(time.perf_counter() - started)
"""


def upload() -> list[Figure]:
    """A data asset of 1 GB by azure-ai-ml, against copying the file, in turn."""
    ratios, times = [], []
    with _large_file() as path:
        for _ in range(3):
            copy = path.with_name("copy.bin")
            copied = _timed(lambda copy=copy: shutil.copyfile(path, copy))  # type: ignore[misc]
            copy.unlink()
            with local_workspace() as workspace:
                script = path.with_name("upload.py")
                script.write_text(_UPLOAD)
                names = (workspace.subscription, workspace.resource_group, workspace.name)
                done = subprocess.run(
                    [sys.executable, str(script), *names, str(path)],
                    check=True, capture_output=True, text=True, env={**os.environ, **workspace.environ},
                )  # fmt: skip
                uploaded = float(done.stdout.splitlines()[-1])
            times.append(uploaded)
            ratios.append(uploaded / copied)
    return [
        Figure("upload of 1 GB by azure-ai-ml", "s", tuple(times)),
        Figure("the same, as a multiple of copying the file", "x", tuple(ratios), 2),
    ]


_HELLO = """
import sys, time
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Environment
from azure.identity import DefaultAzureCredential
client = MLClient(DefaultAzureCredential(), *sys.argv[1:4])
environment = client.environments.create_or_update(Environment(name="hello", image="ubuntu"))
for _ in range(5):
    started = time.perf_counter()
    job = command(command="echo hello", environment=f"hello:{environment.version}", compute="cpu-cluster")
    job = client.jobs.create_or_update(job)
    while job.status not in ("Completed", "Failed"):
        job = client.jobs.get(job.name)
    assert job.status == "Completed", job.status
    print(time.perf_counter() - started)
"""


def hello() -> list[Figure]:
    """A hello-world command job by azure-ai-ml, submitted until seen completed, less the bare command."""
    bare = min(_timed(lambda: _run("/bin/bash", "-c", "echo hello")) for _ in range(5))
    with local_workspace() as workspace:
        names = (workspace.subscription, workspace.resource_group, workspace.name)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _HELLO, *names],
            check=True, capture_output=True, text=True, env={**os.environ, **workspace.environ},
        )  # fmt: skip
    times = tuple(float(line) - bare for line in done.stdout.splitlines())
    return [Figure("hello-world job end to end, over the bare command", "s", times, 2)]


def promote() -> list[Figure]:
    """`mlgates train --register` on a workspace that is up, second time and later."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environ = {"AMLOCAL_ROOT": folder}
        command = (sys.executable, "-m", "mlgates", "train", "--register")
        try:
            _run(*command, environ=environ)
            times = tuple(_timed(lambda: _run(*command, environ=environ)) for _ in range(3))
        finally:
            _run(sys.executable, "-m", "amlocal", "down", "--all", environ=environ)
    return [Figure("mlgates train --register, warm", "s", times)]


def help_pages() -> list[Figure]:
    """`--help` of both commands, as whole processes."""
    return [
        Figure(
            f"{package} --help",
            "s",
            tuple(_timed(lambda package=package: _run(sys.executable, "-m", package, "--help")) for _ in range(7)),  # type: ignore[misc]
            0.3,
        )
        for package in ("amlocal", "mlgates")
    ]


MEASURES: dict[str, Callable[[], list[Figure]]] = {
    "ready": ready,
    "arm-get": arm_get,
    "memory": memory,
    "upload": upload,
    "hello": hello,
    "promote": promote,
    "help": help_pages,
}
