"""The local workspace's server by itself."""

import http.client
import json
import ssl
import tempfile
import time
from pathlib import Path

from amlocal.testing import LocalWorkspace, local_workspace
from tests.bench.figures import Figure
from tests.bench.processes import listeners, timed


class Client:
    """A connection that stays open, with a token."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        trust = ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"])
        self._connection = http.client.HTTPSConnection(workspace.origin.removeprefix("https://"), context=trust)
        secret = {"X-IDENTITY-HEADER": workspace.environ["IDENTITY_HEADER"]}
        token = self._get(f"/msi/token?resource={workspace.origin}", secret)
        self.headers = {"Authorization": f"Bearer {json.loads(token)['access_token']}"}
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

    def fetch(self, target: str) -> bytes:
        """GET a path with its query."""
        return self._get(target, self.headers)

    def get(self, path: str) -> bytes:
        """GET below the workspace's ARM id."""
        return self._get(f"{self.arm}{path}?api-version=2024-10-01", self.headers)


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
        times = tuple(1000 * timed(lambda: client.get("/computes/cpu-cluster")) for _ in range(500))
    return [Figure("ARM get, one connection", "ms", times, 3)]


def memory() -> list[Figure]:
    """Resident memory of the idle server's own process, MLflow's child not counted."""
    with local_workspace() as workspace:
        Client(workspace).get("")
        resident = next(listeners(workspace.origin)).memory_info().rss / 2**20
    return [Figure("memory of the idle server, without MLflow", "MB", (resident,), 150)]
