"""Pages of long lists, and what they cost another caller."""

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from amlocal import state
from amlocal.assembly.stores import Stores, open_stores
from amlocal.blobs import BlobStore
from amlocal.core.context import STORAGE_ACCOUNT, Context, random_ids, system_clock
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.jobs.status import Status
from amlocal.jobs.submission import accept
from amlocal.online.store import OnlineStore
from amlocal.settings import Settings
from amlocal.testing import LocalWorkspace, local_workspace
from tests.bench.figures import Figure
from tests.bench.measures.server import Client
from tests.bench.processes import listeners, timed

ITEMS = 10_000
GOAL_MS = 50
DELAY_MS = 100
_PAGES = 60  # of each list, one after another
_AT_ONCE = 4  # connections that list while another caller asks
_VERSION = "api-version=2024-10-01"
_STORE = "azureml://datastores/workspaceblobstore/paths"


def lists() -> list[Figure]:
    """Pages of lists of 10,000 items each, and one ARM get while four connections list models without a pause."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        with local_workspace(root):
            pass  # its names and secrets are there
        container = _fill(root)
        with local_workspace(root) as workspace:
            client = Client(workspace)
            server = next(listeners(workspace.origin))
            figures = [_pages(client, server, what, path) for what, path in _lists(client, container).items()]
            alone = _gets(client)
            with _listing(workspace):
                beside = _gets(client)
    return [
        *chain(*figures),
        Figure("ARM get alone, 99th percentile", "ms", (_p99(alone),)),
        Figure("ARM get beside four that list models, 99th percentile", "ms", (_p99(beside),), _p99(alone) + DELAY_MS),
    ]


def _lists(client: Client, container: str) -> dict[str, str]:
    arm = {
        "models": "models",
        "versions of a model": "models/many/versions",
        "versions of a model by tag": "models/many/versions?tag=even",
        "data": "data",
        "environments": "environments",
        "jobs": "jobs",
        "jobs by tag": "jobs?tag=even",
        "datastores": "datastores",
        "computes": "computes",
        "online endpoints": "onlineEndpoints",
    }
    storage = f"/{STORAGE_ACCOUNT}/{container}?restype=container&comp=list&prefix=many/"
    return {
        **{what: f"{client.arm}/{path}" for what, path in arm.items()},
        "code by its hash": f"{client.arm}/codes/any/versions?hash=7&hashVersion=202208",
        "blobs": storage,
        "blobs by folder": f"{storage}&delimiter=/",
    }


def _pages(client: Client, server: psutil.Process, what: str, path: str) -> list[Figure]:
    """Follow a list from page to page, from the start again behind its end."""
    before = server.cpu_times()
    first = f"{path}{'&' if '?' in path else '?'}{_VERSION}"
    target, times = first, []
    for _ in range(_PAGES):
        answer: list[bytes] = []
        times.append(1000 * timed(lambda: answer.append(client.fetch(target))))  # noqa: B023 - called at once
        target = _next(answer[0]) or first
    after = server.cpu_times()
    cpu = 1000 * (after.user + after.system - before.user - before.system) / _PAGES
    name = f"a page of {ITEMS:,} {what}"
    return [
        Figure(name, "ms", tuple(times)),
        Figure(f"{name}, 99th percentile", "ms", (_p99(times),), GOAL_MS),
        Figure(f"{name}, CPU time of the server", "ms", (cpu,)),
    ]


def _next(body: bytes) -> str | None:
    if not body.startswith(b"{"):
        return None  # XML of the storage account
    link = urlsplit(json.loads(body).get("nextLink") or "")
    return f"{link.path}?{link.query}" if link.path else None


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def _gets(client: Client) -> list[float]:
    return [1000 * timed(lambda: client.get("/computes/cpu-cluster")) for _ in range(300)]


@contextmanager
def _listing(workspace: LocalWorkspace) -> Iterator[None]:
    """Have four connections list models for as long as the block lasts."""
    over = threading.Event()

    def keep_on() -> None:
        client = Client(workspace)
        while not over.is_set():
            client.get("/models")

    callers = [threading.Thread(target=keep_on, daemon=True) for _ in range(_AT_ONCE)]
    for caller in callers:
        caller.start()
    try:
        yield
    finally:
        over.set()
        for caller in callers:
            caller.join()


def _fill(root: Path) -> str:
    """Put items into a workspace that is down; return the container of its blobs."""
    folder = Settings(root=root).folder
    identity, _ = state.open_identity(Settings(root=root))
    database = Database(folder.database)
    documents = Documents(database)
    context = Context(identity, "https://127.0.0.1:1", documents, system_clock, random_ids)
    stores = open_stores(context, BlobStore(folder.chunks, database, system_clock, random_ids))
    with documents.transaction():
        for put in (_assets, _jobs, _workspace_resources):
            for number in range(ITEMS):
                put(context, stores, number)
    container = stores.datastores.default_container
    with documents.transaction():
        for number in range(ITEMS):
            stores.blobs.put_bytes(container, f"many/{number // 5:05}/{number % 5}", b"")
    database.close()
    return container


def _assets(_: Context, stores: Stores, number: int) -> None:
    tags = {"even": "yes"} if number % 2 == 0 else {"odd": "yes"}
    model = {"modelUri": f"{_STORE}/model", "modelType": "custom_model", "tags": tags}
    stores.models.put(f"model-{number}", "1", model)
    stores.models.put("many", str(number), model)
    stores.data.put(f"data-{number}", "1", {"dataUri": f"{_STORE}/a.csv", "dataType": "uri_file", "tags": tags})
    stores.environments.put(f"environment-{number}", "1", {"image": "image", "tags": tags})
    code = {"codeUri": f"{_STORE}/code", "properties": {"hash_sha256": str(number)}}
    stores.codes.put(f"code-{number}", "1", code)


def _jobs(context: Context, stores: Stores, number: int) -> None:
    def known(_: str) -> None:
        return None

    sent: dict[str, Any] = {"jobType": "Command", "command": "true", "environmentId": "azureml:AzureML-any:1"}
    sent["tags"] = {"even": "yes"} if number % 2 == 0 else {"odd": "yes"}
    name, check = f"job-{number}", {"check_environment": known, "check_input": known, "check_code": known}
    stores.jobs.create(name, accept(context, name, sent, **check))
    for status in (Status.QUEUED, Status.CANCELED):
        stores.jobs.advance(name, status)
    stores.jobs.mark_synced(name, stores.jobs.get(name).body["revision"])


def _workspace_resources(context: Context, stores: Stores, number: int) -> None:
    stores.datastores.put(
        f"store_{number}",
        {"datastoreType": "AzureBlob", "accountName": STORAGE_ACCOUNT, "containerName": f"box-{number}"},
    )
    stores.blobs.create_container(f"box-{number}")
    stores.computes.put(f"compute-{number}", {"properties": {"computeType": "AmlCompute", "properties": {}}})
    endpoint: dict[str, Any] = {
        "authMode": "Key",
        "keys": {},
        "description": None,
        "tags": {},
        "properties": {},
        "traffic": {},
    }
    OnlineStore(context).put_endpoint(f"endpoint-{number}", endpoint | {"mirrorTraffic": {}, "state": "Succeeded"})
