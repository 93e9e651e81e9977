"""Online endpoints whole, but for the processes, which are fakes, and what is fetched and built for them."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from amlocal.app import App
from amlocal.core.context import Context, Identity
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.core.errors import BadRequest
from amlocal.core.operations import Operations
from amlocal.identity.routes import ML_AUDIENCE, SCORING_AUDIENCES
from amlocal.identity.tokens import Tokens
from amlocal.online.deployment_build import DeploymentBuild, DeploymentBuilder
from amlocal.online.deployment_logs import DeploymentLog
from amlocal.online.deployment_manager import DeploymentManager
from amlocal.online.deployment_routes import DeploymentRoutes
from amlocal.online.endpoint_routes import EndpointRoutes
from amlocal.online.errors import RolloutFailed
from amlocal.online.operation_responses import OperationResponses, ResourceBodies
from amlocal.online.rollouts import Rollouts
from amlocal.online.router import EndpointAuth, ScoringRouter
from amlocal.online.store import OnlineStore
from amlocal.online_scoring.link import ScoringResponse as ModelAnswer
from tests.unit.amlocal.asgi import ORIGIN, Answer, Client
from tests.unit.amlocal.blobs.wire import CountingIds, ManualClock
from tests.unit.amlocal.online.fake_backends import FakeBackend, Reply

SIGNING = "k" * 32


class FakeBuilder(DeploymentBuilder):
    """Prepares nothing; a model `broken` cannot be prepared, `faulty` makes amlocal fail, `missing` is not there."""

    def __init__(self) -> None:
        self.prepared: list[str] = []

    def check(self, properties: Mapping[str, Any]) -> None:
        if properties["model"] == "missing":
            raise BadRequest("There is no model 'missing'.")

    def prepare(
        self,
        properties: Mapping[str, Any],
        folder: Path,
        *,
        say: Callable[[str], None],
        fetched: Callable[[str], None],
        stop: threading.Event,
    ) -> DeploymentBuild:
        folder.mkdir(parents=True)
        fetched(f"Model {properties['model']}")
        self.prepared.append(properties["model"])
        if properties["model"] == "broken":
            raise RolloutFailed("the model is broken")
        if properties["model"] == "faulty":
            raise RuntimeError("nobody foresaw this")
        return DeploymentBuild((properties["model"],), {}, folder, is_script=False)


def named(model: str) -> Reply:
    """Return a model that answers with its name."""
    return lambda body: ModelAnswer(0, 200, f'"{model}"'.encode(), 1.5)


@dataclass
class LocalEndpoints:
    """What a test plays with. `replies` are the models' answers, by name; `crashing` do not come up."""

    root: Path
    context: Context
    clock: ManualClock
    operations: Operations
    manager: DeploymentManager
    rollouts: Rollouts
    client: Client
    aad_token: str  # for scoring
    processes: dict[str, list[FakeBackend]] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    crashing: set[str] = field(default_factory=set)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    def make(self, image: DeploymentBuild, log: DeploymentLog) -> FakeBackend:
        (model,) = image.command
        fake = FakeBackend(
            comes_up=model not in self.crashing,
            gate=self.gates.get(model),
            reply=self.replies.get(model, named(model)),
        )
        self.processes.setdefault(model, []).append(fake)
        return fake

    @property
    def root_path(self) -> str:
        return f"{self.context.arm}/onlineEndpoints"

    async def arm(self, method: str, path: str, body: Any = None) -> Answer:
        """Ask below the online endpoints of the workspace."""
        answer = await self.client.exchange(method, f"{self.root_path}/{path}".rstrip("/"), body)
        assert answer is not None
        return answer

    async def endpoint(self, name: str = "scored", **properties: Any) -> Answer:
        """PUT an endpoint."""
        return await self.arm("PUT", name, {"location": "local", "properties": {"authMode": "Key", **properties}})

    async def deploy(self, name: str = "blue", endpoint: str = "scored", *, capacity: int = 1, **props: Any) -> Answer:
        """PUT a deployment; its model is called as it is unless another is named."""
        properties = {"endpointComputeType": "Managed", "instanceType": "Standard_E2s_v3", "model": name, **props}
        body = {"location": "local", "sku": {"name": "Default", "capacity": capacity}, "properties": properties}
        return await self.arm("PUT", f"{endpoint}/deployments/{name}", body)

    async def outcome(self, answer: Answer) -> dict[str, Any]:
        """Wait for the operation that an answer began; return its last status."""
        assert "azure-asyncoperation" in answer.headers, answer.body
        while True:
            status = await self.client.exchange("GET", answer.headers["azure-asyncoperation"])
            assert status is not None
            if status.json["status"] != "Updating":
                return dict(status.json)
            await asyncio.sleep(0.005)

    async def serving(self, name: str = "blue", **settings: Any) -> None:
        """Have a deployment serve, and get all traffic if it is the first."""
        known = (await self.arm("GET", "scored")).status == 200
        if not known:
            await self.endpoint()
        assert (await self.outcome(await self.deploy(name, **settings)))["status"] == "Succeeded"
        if not known:
            await self.endpoint(traffic={name: 100})

    async def key(self, endpoint: str = "scored", which: str = "primaryKey") -> str:
        return str((await self.arm("POST", f"{endpoint}/listKeys")).json[which])

    async def score(
        self,
        body: bytes = b"{}",
        *,
        key: str | None = None,
        path: str = "scored",
        deployment: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST a scoring request, by the endpoint's first key."""
        sent = {"authorization": f"Bearer {await self.key(path) if key is None else key}", **(headers or {})}
        if deployment is not None:
            sent["azureml-model-deployment"] = deployment
        answer = await self.client.exchange("POST", f"/endpoints/{path}/score", body, headers=sent)
        assert answer is not None
        return answer


@asynccontextmanager
async def open_endpoints(root: Path, seed: int = 0) -> AsyncIterator[LocalEndpoints]:
    """Open the endpoints of the workspace in `root`, as a server does that starts on it."""
    database, clock, ids = Database(root / "w.db"), ManualClock(), CountingIds(seed)
    context = Context(Identity("s", "g", "w", "guid"), ORIGIN, Documents(database), clock, ids)
    operations, store = Operations(context), OnlineStore(context)
    tokens = Tokens(SIGNING, "guid", clock)
    access = EndpointAuth(SIGNING, clock, partial(tokens.check_header, audiences=SCORING_AUDIENCES))
    images = FakeBuilder()
    manager = DeploymentManager(root / "online", images, clock, ids, lambda image, log: local.make(image, log))  # noqa: PLW0108 - made below
    rollouts = Rollouts(store, operations, manager)
    responses = OperationResponses(context, store, ResourceBodies(context, operations), operations, rollouts)
    routes = [
        *operations.routes(),
        *ScoringRouter(store, manager, access, ids, random.Random(1)).routes(),
        *EndpointRoutes(responses, access).routes(),
        *DeploymentRoutes(responses, images, manager).routes(),
    ]

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield

    app = App(context, routes, tokens.check_header, lifespan)
    client = Client(app, tokens.issue("https://management.azure.com")[0])
    local = LocalEndpoints(root, context, clock, operations, manager, rollouts, client, tokens.issue(ML_AUDIENCE)[0])
    await rollouts.start()
    try:
        yield local
    finally:
        await rollouts.stop()
        database.close()


def run_scenarios(root: Path, *scenes: Callable[[LocalEndpoints], Awaitable[None]]) -> None:
    """Play scenes one after another; the server is started anew for each."""

    async def within() -> None:
        async with asyncio.timeout(20):
            for number, scene in enumerate(scenes):
                async with open_endpoints(root, seed=number * 1000) as local:
                    await scene(local)

    asyncio.run(within())
