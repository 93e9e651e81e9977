"""Compute instances: made, listed, started, stopped, restarted, deleted; a job waits for one that is stopped."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.computes.store import Computes
from amlocal.jobs.runner import JobQueue
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore
from tests.unit.amlocal.asgi import FEW, Answer, Workspace
from tests.unit.amlocal.jobs.workspace import accepted, settled

ACTIONS = ("start", "stop", "restart")


def create(workspace: Workspace, name: str = "mine", **settings: Any) -> Answer:
    properties = {"computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS2_v2"} | settings}
    return workspace.put(f"computes/{name}", properties, location="here", identity={"type": "SystemAssigned"})


def act(workspace: Workspace, action: str, name: str = "mine") -> Answer:
    return workspace.ask("POST", workspace.arm_of(f"computes/{name}/{action}"))


def shown(workspace: Workspace) -> dict[str, Any]:
    settings: dict[str, Any] = workspace.get("computes/mine").json["properties"]["properties"]
    return settings


def test_one_runs_when_its_creation_is_done(workspace: Workspace) -> None:
    created = create(workspace)
    assert (created.status, created.json["properties"]["properties"]["state"]) == (201, None)
    assert workspace.ask("GET", created.headers["azure-asyncoperation"]).json["status"] == "Succeeded"
    settings = shown(workspace)
    assert (settings["state"], settings["vmSize"]) == ("Running", "STANDARD_DS2_V2")
    assert settings["lastOperation"]["operationName"] == "Create"


@FEW
@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=6))
def test_its_state_follows_what_is_asked_and_a_stopped_one_cannot_restart(
    shared_workspace: Workspace, actions: list[str]
) -> None:
    shared_workspace.ask("DELETE", shared_workspace.arm_of("computes/mine"))
    create(shared_workspace)
    state = "Running"
    for action in actions:
        refused = action == "restart" and state == "Stopped"
        assert act(shared_workspace, action).status == (409 if refused else 202)
        state = "Stopped" if refused or action == "stop" else "Running"
        assert shown(shared_workspace)["state"] == state


def test_an_update_leaves_it_stopped(workspace: Workspace) -> None:
    create(workspace)
    act(workspace, "stop")
    create(workspace, idleTimeBeforeShutdown="PT30M")
    settings = shown(workspace)
    assert (settings["state"], settings["idleTimeBeforeShutdown"]) == ("Stopped", "PT30M")


def test_lists_distinguish_it_from_clusters(workspace: Workspace) -> None:
    create(workspace)
    named = {
        kind: {row["name"] for row in workspace.get("computes", computeType=kind).json["value"]}
        for kind in ("", "AmlCompute", "ComputeInstance")
    }
    assert named == {"": {"mine", "cpu-cluster"}, "AmlCompute": {"cpu-cluster"}, "ComputeInstance": {"mine"}}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_cluster_is_neither_started_nor_stopped(workspace: Workspace, action: str) -> None:
    answer = act(workspace, action, "cpu-cluster")
    assert (answer.status, "is a cluster" in answer.error["message"]) == (400, True)


@pytest.mark.parametrize("action", [*ACTIONS, "listNodes"])
def test_a_missing_one_is_an_empty_404(workspace: Workspace, action: str) -> None:
    answer = act(workspace, action, "missing")
    assert (answer.status, answer.body) == (404, b"")


def test_no_compute_changes_its_type(workspace: Workspace) -> None:
    assert create(workspace, "cpu-cluster").status == 400


@pytest.mark.parametrize("name", ["ab", "a" * 25, "1abc", "abc-"])
def test_a_name_that_azure_refuses_is_refused(workspace: Workspace, name: str) -> None:
    assert create(workspace, name).status == 400


def test_one_that_was_deleted_is_gone(workspace: Workspace) -> None:
    create(workspace)
    assert workspace.ask("DELETE", workspace.arm_of("computes/mine")).status == 202
    assert workspace.get("computes/mine").status == 404


def test_a_job_waits_until_its_instance_is_started(workspace: Workspace) -> None:
    context = workspace.app._context
    jobs, computes = JobStore(context), Computes(context)
    create(workspace)
    act(workspace, "stop")

    async def wait_and_run() -> tuple[Status, Status]:
        async def run(name: str) -> None:
            jobs.advance(name, Status.PREPARING)

        queue = JobQueue(jobs, run, computes.capacity)
        queue.submit(jobs.create("job", accepted(context, computeId="mine")))
        await settled()
        before = jobs.status("job")
        computes.act("mine", "start")
        queue.refill()
        await settled()
        return before, jobs.status("job")

    assert asyncio.run(wait_and_run()) == (Status.QUEUED, Status.PREPARING)
