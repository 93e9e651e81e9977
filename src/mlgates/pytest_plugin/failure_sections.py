"""What a failed test needs to be looked into: where it looked, what served there, and the request to repeat."""

from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import pytest

from mlgates.core.errors import AssetMissing

if TYPE_CHECKING:
    from azure.ai.ml.entities import BatchDeployment, OnlineDeployment

    from mlgates.config.settings import Settings
    from mlgates.core.values import AssetVersion
    from mlgates.delivery.operations import LiveBatchEndpoint, LiveOnlineEndpoint
    from mlgates.endpoint_client import EndpointClient, Exchange

Reporting: TypeAlias = Generator[None, pytest.TestReport, pytest.TestReport]
Facts: TypeAlias = Iterator[tuple[str, str]]

_SHOWN = 300
TITLE = "mlgates: what was under test"


@dataclass
class UnderTest:
    """What the session's fixtures have brought to light so far."""

    workspace: "Settings | None" = None
    candidate: "AssetVersion | None" = None
    online: "LiveOnlineEndpoint | None" = None
    batch: "LiveBatchEndpoint | None" = None
    asked: "list[EndpointClient]" = field(default_factory=list)
    """What the current test asks with."""

    @staticmethod
    def of(config: pytest.Config) -> "UnderTest":
        """Return the session's own."""
        return config.stash[_EVIDENCE]


_EVIDENCE = pytest.StashKey[UnderTest]()


def configure(config: pytest.Config) -> None:
    """Begin without any."""
    config.stash[_EVIDENCE] = UnderTest()


def add(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the evidence that bears on a failed test into its report: a section, and properties for JUnit XML."""
    facts = list(_facts(UnderTest.of(item.config), getattr(item, "fixturenames", ())))
    if not facts:
        return
    width = max(len(name) for name, _ in facts)
    report.sections.append((TITLE, "\n".join(f"{name:<{width}}  {value}" for name, value in facts)))
    # JUnit XML takes the properties of the report on teardown, which are made from the item's.
    item.user_properties += [(f"mlgates.{name}", value) for name, value in facts]


def _facts(evidence: UnderTest, used: Collection[str]) -> Facts:
    if "mlgates_workspace" not in used or evidence.workspace is None:
        return
    settings = evidence.workspace
    yield (
        "workspace",
        f"{settings.aml_workspace_name} (resource group {settings.resource_group_name}, {settings.target})",
    )
    exchange = next((each.last for each in reversed(evidence.asked) if each.last), None)
    if "mlgates_online_endpoint" in used and evidence.online:
        yield from _online(evidence.online, exchange)
    if "mlgates_batch_endpoint" in used and evidence.batch:
        yield from _batch(evidence.batch)
    if "mlgates_candidate" in used and evidence.candidate:
        yield "candidate", str(evidence.candidate)
    if exchange:
        yield "request", exchange.request_id
        answer = exchange.answer
        yield "answer", f"{answer.status} in {exchange.seconds * 1000:.0f} ms: {answer.text[:_SHOWN]}"
        yield "repeat", exchange.curl
        yield "key", f"KEY=$(mlgates key --env {settings.environment})"


def _online(serving: "LiveOnlineEndpoint", exchange: "Exchange | None") -> Facts:
    yield "endpoint", serving.name
    answered = exchange.deployment if exchange else None
    names = [answered] if answered and answered in serving.deployments else list(serving.shares)
    yield "deployment", ", ".join(f"{name} ({serving.shares.get(name, 0)} %)" for name in names) or "none has traffic"
    yield "model", ", ".join(_model(serving, name) for name in names) or "none"


def _batch(serving: "LiveBatchEndpoint") -> Facts:
    yield "batch endpoint", serving.name
    yield "batch deployment", serving.default or "no default"
    yield "batch model", _model(serving, serving.default)


def _model(serving: "LiveOnlineEndpoint | LiveBatchEndpoint", deployment: str | None) -> str:
    from mlgates.delivery.operations import served_model  # noqa: PLC0415 - loaded by whoever looked

    deployments: Mapping[str, OnlineDeployment | BatchDeployment] = serving.deployments
    found = deployments.get(deployment or "")
    if found is None:
        return "unknown"
    try:
        return str(served_model(found))
    except AssetMissing:
        return str(found.model)
