from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.computes.store import Computes
from tests.unit.amlocal.asgi import FEW, Answer, Workspace


def create(workspace: Workspace, name: str = "nodes", *, tags: Any = None, **settings: Any) -> Answer:
    properties = {"computeType": "AmlCompute", "properties": settings}
    return workspace.put(f"computes/{name}", properties, location="here", tags=tags)


def settings_of(answer: Answer) -> dict[str, Any]:
    settings: dict[str, Any] = answer.json["properties"]["properties"]
    return settings


def test_a_cluster_is_there_from_the_start(workspace: Workspace) -> None:
    assert [row["name"] for row in workspace.get("computes").json["value"]] == ["cpu-cluster"]


def test_a_cluster_that_was_deleted_does_not_come_back(workspace: Workspace) -> None:
    create(workspace)
    workspace.ask("DELETE", workspace.arm_of("computes/cpu-cluster"))
    Computes(workspace.app._context)  # as the next start does
    assert workspace.get("computes/cpu-cluster").status == 404


def test_creation_is_answered_as_pending_and_its_operation_as_done(workspace: Workspace) -> None:
    answer = create(workspace)
    assert (answer.status, answer.json["properties"]["provisioningState"]) == (201, "Creating")
    assert workspace.ask("GET", answer.headers["azure-asyncoperation"]).json["status"] == "Succeeded"
    assert workspace.get("computes/nodes").json["properties"]["provisioningState"] == "Succeeded"


def test_the_poller_is_asked_to_come_back_soon_and_no_error_is_retried(workspace: Workspace) -> None:
    answer = create(workspace)
    assert answer.headers["x-ms-retry-after-ms"] == "200"
    assert "retry-after" not in answer.headers


@FEW
@given(low=st.integers(0, 5), more=st.integers(0, 5), idle=st.sampled_from(["PT2M", "PT1H", None]))
def test_the_scale_settings_are_kept(shared_workspace: Workspace, low: int, more: int, idle: str | None) -> None:
    high = max(low + more, 1)
    scale = {"minNodeCount": low, "maxNodeCount": high, "nodeIdleTimeBeforeScaleDown": idle}
    create(shared_workspace, vmSize="Standard_DS3_v2", scaleSettings=scale)
    kept = settings_of(shared_workspace.get("computes/nodes"))["scaleSettings"]
    assert kept == scale | {"nodeIdleTimeBeforeScaleDown": idle or "PT2M"}


@FEW
@given(low=st.integers(-3, 6), high=st.integers(-3, 6))
def test_a_scale_that_cannot_be_is_refused(shared_workspace: Workspace, low: int, high: int) -> None:
    answer = create(shared_workspace, scaleSettings={"minNodeCount": low, "maxNodeCount": high})
    assert (answer.status == 201) is (0 <= low <= high and high >= 1)


@pytest.mark.parametrize("count", [True, "2", 1.5, [1]])
def test_a_node_count_is_a_whole_number(workspace: Workspace, count: object) -> None:
    assert create(workspace, scaleSettings={"maxNodeCount": count}).status == 400


def test_as_many_jobs_run_at_once_as_there_are_nodes(workspace: Workspace) -> None:
    create(workspace, scaleSettings={"maxNodeCount": 3})
    computes = Computes(workspace.app._context)
    assert (computes.capacity("nodes"), computes.capacity("missing")) == (3, None)


def test_without_scale_settings_there_is_one_node(workspace: Workspace) -> None:
    create(workspace)
    assert settings_of(workspace.get("computes/nodes"))["scaleSettings"]["maxNodeCount"] == 1


def test_the_size_comes_back_in_capitals(workspace: Workspace) -> None:
    create(workspace, vmSize="Standard_ds3_v2")
    assert settings_of(workspace.get("computes/nodes"))["vmSize"] == "STANDARD_DS3_V2"


def test_an_update_keeps_the_date_of_creation(workspace: Workspace) -> None:
    created = create(workspace).json["properties"]["createdOn"]
    workspace.clock.advance(hours=1)
    updated = create(workspace, tags={"k": "v"}).json
    assert (updated["properties"]["createdOn"], updated["tags"]) == (created, {"k": "v"})
    assert updated["properties"]["modifiedOn"] != created


def test_a_patch_is_an_update_too(workspace: Workspace) -> None:
    create(workspace)
    body = {"properties": {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": 7}}}}
    assert workspace.ask("PATCH", workspace.arm_of("computes/nodes"), body).status == 201
    assert settings_of(workspace.get("computes/nodes"))["scaleSettings"]["maxNodeCount"] == 7


def test_one_that_was_deleted_is_gone(workspace: Workspace) -> None:
    create(workspace)
    answer = workspace.ask("DELETE", workspace.arm_of("computes/nodes"))
    assert (answer.status, answer.body) == (202, b"")
    assert workspace.ask("GET", answer.headers["azure-asyncoperation"]).json["status"] == "Succeeded"
    assert workspace.get("computes/nodes").status == 404


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_missing_one_is_an_empty_404(workspace: Workspace, method: str) -> None:
    answer = workspace.ask(method, workspace.arm_of("computes/missing"))
    assert (answer.status, answer.body, answer.headers["content-length"]) == (404, b"", "0")


@pytest.mark.parametrize("kind", ["VirtualMachine", "Kubernetes", None])
def test_other_types_are_answered_with_501(workspace: Workspace, kind: str | None) -> None:
    answer = workspace.put("computes/nodes", {"computeType": kind})
    assert (answer.status, str(kind) in answer.error["message"]) == (501, True)


@pytest.mark.parametrize("name", ["ab", "a" * 33, "under_score", "with%20space"])
def test_a_name_that_azure_refuses_is_refused(workspace: Workspace, name: str) -> None:
    answer = create(workspace, name)
    assert (answer.status, "is not valid" in answer.error["message"]) == (400, True)


def test_a_listener_hears_of_every_change(workspace: Workspace) -> None:
    capacities: list[int | None] = []
    computes = Computes(workspace.app._context)
    computes.subscribe(lambda: capacities.append(computes.capacity("nodes")))
    for most in (1, 3):
        computes.put(
            "nodes",
            {"properties": {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": most}}}},
        )
    computes.delete("nodes")
    assert capacities == [1, 3, None]
