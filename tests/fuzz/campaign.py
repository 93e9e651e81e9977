"""A campaign: so many requests to a workspace that is up, and what is found."""

import json
import ssl
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from amlocal.testing import LocalWorkspace, local_workspace
from tests.fuzz.bodies import ARM
from tests.fuzz.sender import Findings, Sender
from tests.fuzz.strategies import Request, requests
from tests.unit.amlocal.asgi import open_workspace

_BATCH = 64
_AN_EXAMPLE = 8  # requests that hypothesis draws at a time: what it spends on an example is spent on all of them
_ROUND = 20_000  # requests of one run of hypothesis, which keeps a record of each
Tell = Callable[[Findings], None]


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of the server's process, MLflow's not counted: idle, and after all requests."""

    before: int
    after: int


def fuzz(count: int, *, chance: int = 0, tell: Tell = lambda _: None) -> tuple[Findings, Memory]:
    """Send `count` requests to a new workspace, the same for the same `chance`; `tell` hears how it goes."""
    with _workspace() as (workspace, token), _sender(workspace) as sender:
        process = _server(workspace)
        sender.send(_furnishing(workspace, token))
        sender.wait()
        if sender.findings.faults:
            raise RuntimeError(f"the workspace cannot be furnished: {sender.findings.faults}")
        sender.findings = Findings()
        before, batch = process.memory_info().rss, list[Request]()
        strategy = st.lists(_requests(workspace, token), min_size=_AN_EXAMPLE, max_size=_AN_EXAMPLE)

        def send(drawn: list[Request]) -> None:
            batch.extend(drawn)
            if len(batch) >= _BATCH:
                sender.send(batch)
                batch.clear()
                tell(sender.findings)

        while sender.findings.sent < count:
            left = min(_ROUND, count - sender.findings.sent)
            _draw(strategy, max(1, left // _AN_EXAMPLE), chance, send)
            chance += 1
            sender.send(batch)
            batch.clear()
            sender.wait()
        return sender.findings, Memory(before, process.memory_info().rss)


def _draw(
    strategy: st.SearchStrategy[list[Request]], examples: int, chance: int, send: Callable[[list[Request]], None]
) -> None:
    @seed(chance)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(drawn: list[Request]) -> None:
        send(drawn)

    each()


def _requests(workspace: LocalWorkspace, token: str) -> st.SearchStrategy[Request]:
    """Return requests to the routes that the workspace's application has."""
    with tempfile.TemporaryDirectory() as folder, open_workspace(Path(folder), origin=workspace.origin) as twin:
        return requests(list(twin.app.routes), token)


@contextmanager
def _workspace() -> Iterator[tuple[LocalWorkspace, str]]:
    with local_workspace() as workspace:
        url = f"{workspace.environ['IDENTITY_ENDPOINT']}?resource=any"
        asking = urllib.request.Request(url, headers={"X-IDENTITY-HEADER": workspace.environ["IDENTITY_HEADER"]})
        with urllib.request.urlopen(asking, context=_trust(workspace)) as answer:
            yield workspace, json.load(answer)["access_token"]


def _trust(workspace: LocalWorkspace) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"])


@contextmanager
def _sender(workspace: LocalWorkspace) -> Iterator[Sender]:
    sender = Sender(workspace.origin, _trust(workspace))
    try:
        yield sender
    finally:
        sender.close()


def _server(workspace: LocalWorkspace) -> psutil.Process:
    return psutil.Process(int(json.loads((workspace.folder / "server.json").read_text())["pid"]))


def _furnishing(workspace: LocalWorkspace, token: str) -> list[Request]:
    """Return what puts something where requests look for it, and has MLflow up before the time is taken."""
    arm = (
        f"/subscriptions/{workspace.subscription}/resourceGroups/{workspace.resource_group}/providers/"
        f"Microsoft.MachineLearningServices/workspaces/{workspace.name}"
    )
    rows = [
        ("PUT", f"{arm}/environments/e0/versions/1", ARM["environments"][0]),
        ("PUT", f"{arm}/models/m0/versions/1", ARM["models"][0]),
        ("PUT", f"{arm}/data/d0/versions/1", ARM["data"][0]),
        ("PUT", f"{arm}/onlineEndpoints/onl0", ARM["onlineEndpoints"][0]),
        ("PUT", f"{arm}/batchEndpoints/bat0", {"location": "local", "properties": {}}),
        ("PUT", "/devstore/box?restype=container", None),
        ("GET", "/mlflow/api/2.0/mlflow/experiments/get?experiment_id=0", None),
    ]
    headers = (("authorization", f"Bearer {token}".encode()),)
    return [
        Request(path, method, path.encode(), headers, b"" if body is None else json.dumps(body).encode())
        for method, path, body in rows
    ]


def report(findings: Findings, memory: Memory, took_s: float, origin: str = "$ORIGIN") -> str:
    """Return what was found, for a terminal."""
    lines = [f"{findings.sent} requests, {findings.sent / took_s:.0f} a second, {time.strftime('%H:%M:%S')}"]
    lines.append("statuses: " + ", ".join(f"{status}: {count}" for status, count in sorted(findings.statuses.items())))
    lines.append(
        f"memory: {memory.before / 2**20:.0f} MB idle, {memory.after / 2**20:.0f} MB after ("
        f"{memory.after / memory.before:.2f} times)"
    )
    if findings.slowest:
        lines.append(f"slowest: {findings.slowest_s:.2f} s, {findings.slowest.curl(origin)[:1500]}")
    for (method, route, kind), (request, detail) in findings.faults.items():
        lines += ["", f"{kind}: {method} {route}", f"  {detail}", f"  {request.curl(origin)[:3000]}"]
    return "\n".join(lines)
