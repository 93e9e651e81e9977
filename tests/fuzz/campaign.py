"""A campaign: so many requests to a workspace that is up, and what is found."""

import asyncio
import json
import ssl
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import uvloop
from hypothesis import HealthCheck, Phase, given, seed, settings

from amlocal.testing import LocalWorkspace, local_workspace
from tests.fuzz.bodies import ARM, BATCH_DEPLOYMENT, JOB
from tests.fuzz.requests import Request
from tests.fuzz.sender import Findings, Sender
from tests.fuzz.shrinking import shrink
from tests.fuzz.strategies import PLANS, Plan, Requests
from tests.unit.amlocal.asgi import open_workspace

_OF_A_PLAN = 100  # requests
_ROUND = 100  # plans of one run of hypothesis, which keeps a record of each
_REFUSALS = {400, 401, 403, 404, 405, 409, 501}
Tell = Callable[[Findings, "Memory"], None]


@dataclass(slots=True)
class Memory:
    """Resident bytes of the server's process, MLflow's not counted: idle, the most that was seen, at the end."""

    process: psutil.Process
    before: int = 0
    peak: int = 0
    after: int = 0

    def look(self) -> None:
        """Note what the process has now."""
        self.after = self.process.memory_info().rss
        self.before = self.before or self.after
        self.peak = max(self.peak, self.after)


def _silent(findings: Findings, memory: Memory) -> None:
    """Tell nobody."""


def fuzz(count: int, *, chance: int = 0, tell: Tell = _silent) -> tuple[Findings, Memory]:
    """Send `count` requests to a new workspace, the same for the same `chance`; `tell` hears how it goes."""
    with _workspace() as (workspace, token), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sender = Sender(workspace.origin, _trust(workspace))
        runner.run(_furnish(sender, workspace, token))
        memory = Memory(psutil.Process(int(json.loads((workspace.folder / "server.json").read_text())["pid"])))
        memory.look()
        requests, wanted = _requests(workspace, token), count

        def send(plan: Plan, origin: str) -> None:
            nonlocal wanted
            batch = list(requests.of(plan, min(_OF_A_PLAN, wanted), origin))
            wanted -= len(batch)
            runner.run(sender.send(batch))
            memory.look()
            tell(sender.findings, memory)

        while wanted:
            _draw(min(_ROUND, -(-wanted // _OF_A_PLAN)), chance, send)
            chance += 1
        runner.run(sender.wait())
        memory.look()
        for key, (request, detail) in list(sender.findings.faults.items()):
            sender.findings.faults[key] = runner.run(shrink(request, key[-1], sender)), detail
        runner.run(sender.close())
        return sender.findings, memory


def _draw(plans: int, chance: int, send: Callable[[Plan, str], None]) -> None:
    """Draw plans; each has a name, by which its requests differ from those of a plan that is drawn twice."""
    number = 0

    @seed(chance)
    @settings(
        max_examples=plans,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PLANS)
    def each(plan: Plan) -> None:
        nonlocal number
        number += 1
        send(plan, f"--seed {chance}, plan {number}")

    each()


def _requests(workspace: LocalWorkspace, token: str) -> Requests:
    """Return requests to the routes that the workspace's application has."""
    with tempfile.TemporaryDirectory() as folder, open_workspace(Path(folder), origin=workspace.origin) as twin:
        secret = workspace.environ["IDENTITY_HEADER"]
        return Requests(twin.app.routes, token, secret, _furnishing(workspace, token))


@contextmanager
def _workspace() -> Iterator[tuple[LocalWorkspace, str]]:
    with local_workspace() as workspace:
        url = f"{workspace.environ['IDENTITY_ENDPOINT']}?resource=any"
        asking = urllib.request.Request(url, headers={"X-IDENTITY-HEADER": workspace.environ["IDENTITY_HEADER"]})
        with urllib.request.urlopen(asking, context=_trust(workspace)) as answer:
            yield workspace, json.load(answer)["access_token"]


def _trust(workspace: LocalWorkspace) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"])


async def _furnish(sender: Sender, workspace: LocalWorkspace, token: str) -> None:
    """Put something where requests look for it, and have MLflow up before the time is taken."""
    for request in _furnishing(workspace, token):
        await sender.send([request])
        await sender.wait()
        found = sender.findings
        if found.faults or max(found.statuses) >= 300:
            raise RuntimeError(f"the workspace cannot be furnished: {found.statuses} at {request.curl('$ORIGIN')}")
    sender.findings = Findings()


def _furnishing(workspace: LocalWorkspace, token: str) -> list[Request]:
    arm = (
        f"/subscriptions/{workspace.subscription}/resourceGroups/{workspace.resource_group}/providers/"
        f"Microsoft.MachineLearningServices/workspaces/{workspace.name}"
    )
    rows = [
        ("PUT", f"{arm}/environments/e0/versions/1", ARM["environments"][0]),
        ("PUT", f"{arm}/models/m0/versions/1", ARM["models"][0]),
        ("PUT", f"{arm}/data/d0/versions/1", ARM["data"][0]),
        ("PUT", f"{arm}/onlineEndpoints/onl0", ARM["onlineEndpoints"][0]),
        ("PUT", f"{arm}/onlineEndpoints/onl1", ARM["onlineEndpoints"][1]),
        ("PUT", f"{arm}/batchEndpoints/bat0", {"location": "local", "properties": {}}),
        ("PUT", f"{arm}/codes/c0/versions/1", ARM["codes"][0]),
        ("PUT", "/devstore/box?restype=container", None),
        ("PUT", f"{arm}/datastores/ds0", ARM["datastores"][0]),
        ("PUT", f"{arm}/computes/ci0", ARM["computes"][1]),
        ("PUT", f"{arm}/batchEndpoints/bat0/deployments/d0d", BATCH_DEPLOYMENT),
        ("PUT", f"{arm}/jobs/j0", {"properties": JOB}),
        ("GET", "/mlflow/api/2.0/mlflow/experiments/get?experiment_id=0", None),
    ]
    headers = (("authorization", f"Bearer {token}".encode()),)
    return [
        Request(path, method, path.encode(), headers, b"" if body is None else json.dumps(body).encode())
        for method, path, body in rows
    ]


def complaints(findings: Findings, memory: Memory) -> list[str]:
    """Return what is wrong with a campaign as a whole: what it cost the server, or that it was refused at the door."""
    good, missing = sum(findings.passed.values()), _REFUSALS - set(findings.statuses)
    found = {
        "The server had more than twice the memory that it had when it was idle.": memory.peak > 2 * memory.before,
        "Fewer than four requests in ten were answered with 2xx.": good < 0.4 * findings.sent,
        "Fewer than a hundred operations answered any with 2xx.": len(findings.passed) < 100,
        f"Nothing was refused with {', '.join(map(str, sorted(missing)))}.": bool(missing),
        "Fewer than two requests in a hundred went to MLflow.": findings.mlflow < 0.02 * findings.sent,
    }
    return [complaint for complaint, holds in found.items() if holds]


def report(findings: Findings, memory: Memory, took_s: float, server: str = "$ORIGIN") -> str:
    """Return what was found, for a terminal."""
    good = sum(findings.passed.values())
    lines = [
        f"{findings.sent} requests, {findings.sent / took_s:.0f} a second, {findings.mlflow / findings.sent:.1%} to "
        f"MLflow, {good / findings.sent:.0%} answered with 2xx, {len(findings.passed)} operations of them",
        "statuses: " + ", ".join(f"{status}: {count}" for status, count in sorted(findings.statuses.items())),
        f"memory: {memory.before / 2**20:.0f} MB idle, {memory.peak / 2**20:.0f} MB at most ("
        f"{memory.peak / memory.before:.2f} times), {memory.after / 2**20:.0f} MB after",
    ]
    if findings.slowest:
        lines.append(f"slowest: {findings.slowest_s:.2f} s, {findings.slowest.curl(server)[:1500]}")
    for (method, route, kind), (request, detail) in findings.faults.items():
        lines += ["", f"{kind}: {method} {route} ({request.origin})", f"  {detail}", f"  {request.curl(server)[:3000]}"]
    return "\n".join(lines)
