"""A release in a workspace in memory: versions with files, a ledger, and deployments that answer as they are told."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from mlgates.config.settings import Settings
from mlgates.core.ledger import Action, Draft
from mlgates.endpoint_client import DEPLOYMENT, Address, EndpointClient, Exchange, ScoringRequest, ScoringResponse
from mlgates.release.locking import Owner
from mlgates.release.release_file import ReleaseConfig
from tests.unit.mlgates.fake_workspace import FakeWorkspace

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlgates.release.context import ReleaseContext

ENDPOINT = "online-local"
MLMODEL = """
signature:
  inputs: '[{"name": "a", "type": "long"}, {"name": "b", "type": "double"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""
DECLARED = ReleaseConfig.model_validate(
    {"canary": {"seconds": {"local": 0}}, "limits": {"max_median_ms": 500, "max_difference": 0.2, "requests": 2}}
)


@dataclass
class FakeSite:
    """Everything that a test of releases looks at."""

    workspace: FakeWorkspace
    settings: Settings
    folder: Path
    answers: dict[str, ScoringResponse] = field(default_factory=dict)
    """What each version answers; one that is not here gives good predictions."""
    milliseconds: dict[str, float] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """Requests by version."""
    declared: ReleaseConfig = DECLARED
    attempts: Iterator[int] = field(default_factory=lambda: count(1))
    heard: Callable[[str], object] = lambda _: None
    """Told of each request, by the version that answers it."""

    @property
    def client(self) -> "MLClient":
        return cast("MLClient", self.workspace)

    def context(self, process: int = 1) -> "ReleaseContext":
        """What a release works with; by default in a process that dies with it."""
        from mlgates.delivery.workspace_ledger import Ledger  # noqa: PLC0415
        from mlgates.release.context import ReleaseContext  # noqa: PLC0415

        ledger = Ledger(self.client, "classifier", ENDPOINT)
        owner = Owner(name="the run", id=f"process {process}", run="the run", attempt=next(self.attempts))
        return ReleaseContext(self.client, self.settings, self.declared, ledger, owner, "Ann", self.reach)

    def register(self, *, gate: str = "passed") -> str:
        """Register a version of the model; return its number."""
        version = str(len(self.workspace.models.saved) + 1)
        folder = self.folder / f"model-{version}"
        folder.mkdir()
        (folder / "MLmodel").write_text(f"# {version}{MLMODEL}")
        tags = {"gate.prod": gate} if gate else {}
        self.workspace.models.create_or_update(
            SimpleNamespace(name="classifier", version=version, path=str(folder), tags=tags)
        )
        return version

    def write(self, action: Action, version: str) -> None:
        """Write an entry about a version, with its content as it is."""
        from mlgates.release.approval import read_artifact  # noqa: PLC0415

        sha256 = read_artifact(self.client, self.settings, version).sha256
        draft = Draft(action=action, by="Ann", model=f"classifier:{version}", sha256=sha256, reason="because")
        self.context().ledger.append(lambda _: draft)

    def approved(self) -> str:
        """Register and approve a version; return its number."""
        version = self.register()
        self.write(Action.APPROVED, version)
        return version

    def reach(self, address: Address) -> EndpointClient:
        return cast("EndpointClient", FakeEndpointClient(self, address))

    def serving(self, name: str) -> str:
        """The version behind a deployment."""
        return str(self.workspace.online_deployments.held[name, ENDPOINT].model).rpartition("/")[2]

    @property
    def traffic(self) -> dict[str, int]:
        """Percent by version."""
        held = self.workspace.online_endpoints.held.get((ENDPOINT,))
        shares = (held.traffic or {}) if held else {}
        return {self.serving(name): share for name, share in shares.items() if share}

    @property
    def batch(self) -> str:
        """The version that scores files."""
        endpoint = self.workspace.batch_endpoints.held["batch-local",]
        name = endpoint.defaults["deployment_name"]
        return str(self.workspace.batch_deployments.held[name, "batch-local"].model).rpartition("/")[2]

    def tag(self, version: str) -> str | None:
        tags: Mapping[str, str] = self.workspace.models.get("classifier", version).tags
        return tags.get("released")

    def decisions(self) -> list[tuple[str, str]]:
        """The actions of the ledger with their versions, locks left out."""
        entries = self.context().ledger.entries()
        return [
            (str(entry.action), entry.model.partition(":")[2])
            for entry in entries
            if entry.action not in {Action.LOCKED, Action.UNLOCKED}
        ]


class FakeEndpointClient:
    """Answers as the deployment that is named, or that the traffic picks."""

    def __init__(self, site: FakeSite, address: Address) -> None:
        self._site = site
        self._address = address
        self._chance = random.Random(7)
        self.last: Exchange | None = None

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        name = self._address.deployment or self._picked()
        version = self._site.serving(name)
        self._site.asked[version] += 1
        self._site.heard(version)
        given = self._site.answers.get(version) or good(body)
        answer = ScoringResponse(given.status, given.body, {DEPLOYMENT: name})
        seconds = self._site.milliseconds.get(version, 5.0) / 1000
        self.last = Exchange(ScoringRequest(body), answer, self._address.uri, seconds)
        return answer

    def close(self) -> None:
        pass

    def _picked(self) -> str:
        shares = self._site.workspace.online_endpoints.held[ENDPOINT,].traffic
        return str(self._chance.choices(list(shares), list(shares.values()))[0])


def good(body: bytes) -> ScoringResponse:
    """A prediction a row."""
    given = json.loads(body)["input_data"]
    rows = given["data"] if isinstance(given, dict) else given
    return ScoringResponse(200, json.dumps([1] * len(rows)).encode())


@pytest.fixture
def site(workspace: FakeWorkspace, settings: Settings, tmp_path: Path) -> FakeSite:
    return FakeSite(workspace, settings, tmp_path)
