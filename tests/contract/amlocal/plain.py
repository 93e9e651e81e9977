"""A workspace in plain HTTP, for tests in which the server ends: azure-ai-ml takes one for given."""

import base64
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from amlocal.launcher import RunningServer, find, start, stop
from amlocal.settings import Settings

WAIT_S = 60


def eventually(what: str, condition: Callable[[], Any]) -> Any:
    """Return what the condition does as soon as that is true; fail after a minute."""
    tick, deadline = threading.Event(), time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {WAIT_S} s"
        tick.wait(0.05)
    return found


class Client:
    """Speaks to a workspace in plain HTTP, as far as these tests need to."""

    def __init__(self, running: RunningServer) -> None:
        environ = running.environ()
        trust = ssl.create_default_context(cafile=environ["REQUESTS_CA_BUNDLE"])
        self._http = httpx.Client(base_url=running.origin, verify=trust, timeout=30, trust_env=False)
        self._arm = running.identity.arm_id
        self._identity = {"X-IDENTITY-HEADER": environ["IDENTITY_HEADER"]}
        self._http.headers["Authorization"] = f"Bearer {self._token()}"
        self.container = self.arm("GET", "datastores/workspaceblobstore")["properties"]["containerName"]

    def _token(self) -> str:
        query = {"api-version": "2019-08-01", "resource": "https://storage.azure.com"}
        answer = self._http.get("/msi/token", params=query, headers=self._identity)
        return str(answer.raise_for_status().json()["access_token"])

    def close(self) -> None:
        self._http.close()

    def arm(self, method: str, path: str, properties: Any = None) -> Any:
        """Ask below the workspace; return the body."""
        body = None if properties is None else {"properties": properties}
        answer = self._http.request(method, f"{self._arm}/{path}?api-version=1", json=body).raise_for_status()
        return answer.json() if answer.content else None

    def found(self, path: str) -> Any:
        """Return the properties of something below the workspace, None when it is not there."""
        answer = self._http.get(f"{self._arm}/{path}?api-version=1")
        return None if answer.status_code == 404 else answer.raise_for_status().json()["properties"]

    def history(self, path: str) -> Any:
        return self._http.get(f"/history/v1.0{self._arm}/{path}").raise_for_status().json()

    def score(self, endpoint: str, body: Any) -> httpx.Response:
        """Ask an online endpoint by its first key, for as long as a deployment may take to come back up."""
        key = self.arm("POST", f"onlineEndpoints/{endpoint}/listKeys", {})["primaryKey"]
        uri = self.arm("GET", f"onlineEndpoints/{endpoint}")["properties"]["scoringUri"]
        return self._http.post(uri, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=2 * WAIT_S)

    def invoke(self, endpoint: str, properties: Any) -> str:
        """Call a batch endpoint; return the job that the call becomes."""
        uri = self.arm("GET", f"batchEndpoints/{endpoint}")["properties"]["scoringUri"]
        return str(self._http.post(uri, json={"properties": properties}).raise_for_status().json()["name"])

    def text(self, url: str) -> str:
        return self._http.get(url).raise_for_status().text

    def blob(self, method: str, name: str, content: bytes | None = None, **query: str) -> httpx.Response:
        """Ask for a blob of the default datastore."""
        headers = {"x-ms-version": "2023-11-03", "x-ms-blob-type": "BlockBlob"}
        path = f"/devstore/{self.container}/{name}"
        return self._http.request(method, path, params=query, content=content, headers=headers)

    def put_blob(self, name: str, content: bytes, blocks: int) -> None:
        """Upload a blob, in one piece or as blocks that are then committed."""
        if blocks == 1:
            self.blob("PUT", name, content).raise_for_status()
            return
        size = len(content) // blocks + 1
        ids = [base64.b64encode(f"{number:04}".encode()).decode() for number in range(blocks)]
        for number, block in enumerate(ids):
            piece = content[number * size : (number + 1) * size]
            self.blob("PUT", name, piece, comp="block", blockid=block).raise_for_status()
        listed = "".join(f"<Latest>{block}</Latest>" for block in ids)
        self.blob("PUT", name, f"<BlockList>{listed}</BlockList>".encode(), comp="blocklist").raise_for_status()


class Server:
    """One workspace's server, and a client of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.running = start(settings)
        self.client = Client(self.running)

    def kill_and_start(self, join: Callable[[], None] = lambda: None) -> float:
        """Kill the server and start another at once; return the seconds until it answered."""
        os.kill(self.running.pid, signal.SIGKILL)
        join()
        self.client.close()
        eventually("the end of the server", lambda: find(self._settings.folder) is None)
        before = time.monotonic()
        self.running = start(self._settings)
        self.client = Client(self.running)
        return time.monotonic() - before

    def stop(self) -> None:
        self.client.close()
        stop(self.running)
