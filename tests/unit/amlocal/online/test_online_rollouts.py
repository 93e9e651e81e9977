"""Deployments come up, are replaced, end, and come back up: over HTTP, with processes that the test plays."""

import asyncio
from pathlib import Path

import pytest

from amlocal.online_scoring.link import ScoringResponse as ModelAnswer
from tests.unit.amlocal.online.fake_backends import eventually, settle
from tests.unit.amlocal.online.local_endpoints import LocalEndpoints, run_scenarios


def folders(local: LocalEndpoints, name: str = "blue") -> int:
    """Count the versions of a deployment that are on disk."""
    folder = local.root / "online" / "scored" / name
    return sum(path.is_dir() for path in folder.iterdir()) if folder.is_dir() else 0


def test_a_deployment_that_came_up_serves(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        answer = await local.score()
        assert (answer.status, answer.json, answer.headers["azureml-model-deployment"]) == (200, "blue", "blue")

    run_scenarios(tmp_path, scene)


def test_one_that_crashes_has_failed_with_the_end_of_its_log(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        local.crashing.add("blue")
        done = await local.outcome(await local.deploy())
        assert done["status"] == "Failed"
        assert done["error"]["message"].startswith("ResourceNotReady: User container has crashed or terminated: ")
        assert "it ended with code 1" in done["error"]["message"]
        assert "Rolling out." in done["error"]["message"].partition("The last lines of the log:")[2]
        shown = await local.arm("GET", "scored/deployments/blue")
        assert shown.json["properties"]["provisioningState"] == "Failed"
        assert folders(local) == 0

    run_scenarios(tmp_path, scene)


def test_a_fault_of_amlocals_own_fails_the_rollout_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        done = await local.outcome(await local.deploy(model="faulty"))
        assert (done["status"], "nobody foresaw this" in done["error"]["message"]) == ("Failed", True)
        assert folders(local) == 0

    run_scenarios(tmp_path, scene)
    assert "scored/blue: a fault of amlocal" in caplog.text


def test_a_deployment_that_never_served_is_not_brought_up_by_a_restart(tmp_path: Path) -> None:
    async def first(local: LocalEndpoints) -> None:
        await local.endpoint()
        await local.outcome(await local.deploy(model="broken"))

    async def second(local: LocalEndpoints) -> None:
        assert (await local.score(deployment="blue")).status == 404
        assert local.processes == {}

    run_scenarios(tmp_path, first, second)


def test_while_an_update_fails_the_version_before_serves(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        assert (await local.outcome(await local.deploy(model="broken")))["status"] == "Failed"
        assert (await local.score()).json == "blue"
        assert folders(local) == 1

    run_scenarios(tmp_path, scene)


def test_an_update_takes_over_and_the_version_before_answers_what_it_was_asked(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        local.replies["blue"] = lambda body: None
        await local.serving()
        before = asyncio.create_task(local.score())
        await local.processes["blue"][0].was_asked.wait()
        assert (await local.outcome(await local.deploy(model="green")))["status"] == "Succeeded"
        assert (await local.score()).json == "green"
        old = local.processes["blue"][0]
        assert not old.end.done()
        old.asked[0].set_result(ModelAnswer(0, 200, b'"blue"'))
        assert (await before).json == "blue"
        await old.end
        await eventually(lambda: folders(local) == 1)

    run_scenarios(tmp_path, scene)


def test_a_request_whose_body_comes_slowly_is_answered_by_the_version_that_is_there_then(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        slow = asyncio.Event()

        async def receive() -> dict[str, object]:
            await slow.wait()
            return {"type": "http.request", "body": b"{}", "more_body": False}

        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "raw_path": b"/endpoints/scored/score", "query_string": b"",
            "headers": [(b"authorization", f"Bearer {await local.key()}".encode())],
        }  # fmt: skip
        asked = asyncio.create_task(local.client.app(scope, receive, send))
        await settle()
        await local.outcome(await local.deploy(model="green"))
        await local.processes["blue"][0].end
        slow.set()
        await asked
        assert (sent[0]["status"], sent[1]["body"]) == (200, b'"green"')

    run_scenarios(tmp_path, scene)


def test_two_deployments_created_at_once_both_come_up(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        begun = [await local.deploy("blue"), await local.deploy("green")]
        outcomes = await asyncio.gather(*(local.outcome(answer) for answer in begun))
        assert [outcome["status"] for outcome in outcomes] == ["Succeeded", "Succeeded"]
        for name in ("blue", "green"):
            assert (await local.score(deployment=name)).json == name

    run_scenarios(tmp_path, scene)


def test_a_deployment_that_is_on_its_way_cannot_be_updated(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        local.gates["blue"] = asyncio.Event()
        begun = await local.deploy()
        again = await local.deploy()
        assert (again.status, "Updating" in again.error["message"]) == (409, True)
        local.gates["blue"].set()
        assert (await local.outcome(begun))["status"] == "Succeeded"

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize("path", ["scored/deployments/blue", "scored"])
def test_deleting_a_deployment_on_its_way_ends_its_rollout_for_who_waits_for_it(tmp_path: Path, path: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        local.gates["blue"] = asyncio.Event()
        begun = await local.deploy()
        assert (await local.arm("DELETE", path)).status == 202
        done = await local.outcome(begun)
        assert (done["status"], "deleted" in done["error"]["message"]) == ("Failed", True)
        await eventually(lambda: folders(local) == 0)

    run_scenarios(tmp_path, scene)


def test_what_is_deleted_leaves_no_log_to_another_of_its_name(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        await local.outcome(await local.deploy(model="broken"))
        await local.arm("DELETE", "scored/deployments/blue")
        await local.outcome(await local.deploy())
        log = await local.arm("POST", "scored/deployments/blue/getLogs", {"tail": 50})
        assert "broken" not in log.json["content"]

    run_scenarios(tmp_path, scene)


def test_a_deployment_made_anew_is_untouched_by_the_end_of_the_one_before(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        local.replies["blue"] = lambda body: None
        await local.serving()
        await local.endpoint(traffic={})
        before = asyncio.create_task(local.score(deployment="blue"))
        await eventually(lambda: local.processes["blue"][0].asked)
        await local.arm("DELETE", "scored/deployments/blue")
        assert (await local.outcome(await local.deploy(model="green")))["status"] == "Succeeded"
        local.processes["blue"][0].asked[0].set_result(ModelAnswer(0))
        await before
        await eventually(lambda: folders(local) == 1)
        assert (await local.score(deployment="blue")).json == "green"

    run_scenarios(tmp_path, scene)


def test_after_a_restart_requests_wait_for_what_served(tmp_path: Path) -> None:
    async def first(local: LocalEndpoints) -> None:
        await local.serving()

    async def second(local: LocalEndpoints) -> None:
        local.gates["blue"] = asyncio.Event()
        asked = asyncio.create_task(local.score())
        await eventually(lambda: "blue" in local.processes)
        assert not asked.done()
        local.gates["blue"].set()
        assert (await asked).json == "blue"

    run_scenarios(tmp_path, first, second)


def test_a_restart_leaves_one_copy_of_a_version(tmp_path: Path) -> None:
    async def first(local: LocalEndpoints) -> None:
        await local.serving()

    async def second(local: LocalEndpoints) -> None:
        assert (await local.score()).json == "blue"
        await eventually(lambda: folders(local) == 1)

    run_scenarios(tmp_path, first, second)


def test_after_a_restart_a_request_waits_no_longer_than_it_may_take(tmp_path: Path) -> None:
    async def first(local: LocalEndpoints) -> None:
        await local.serving(requestSettings={"requestTimeout": "PT0.01S"})

    async def second(local: LocalEndpoints) -> None:
        local.gates["blue"] = asyncio.Event()
        answer = await local.score()
        assert (answer.status, answer.headers["ms-azureml-model-error-reason"]) == (424, "model_not_ready")

    run_scenarios(tmp_path, first, second)


def test_after_a_restart_what_does_not_come_up_again_has_failed_and_nobody_waits(tmp_path: Path) -> None:
    async def first(local: LocalEndpoints) -> None:
        await local.serving()

    async def second(local: LocalEndpoints) -> None:
        local.crashing.add("blue")
        assert (await local.score()).status == 424
        shown = await local.arm("GET", "scored/deployments/blue")
        assert shown.json["properties"]["provisioningState"] == "Failed"
        assert (await local.score()).status == 424

    run_scenarios(tmp_path, first, second)


def test_a_rollout_that_the_server_did_not_live_to_end_has_failed_and_the_version_before_serves(tmp_path: Path) -> None:
    begun = []

    async def first(local: LocalEndpoints) -> None:
        await local.serving()
        local.gates["green"] = asyncio.Event()
        begun.append(await local.deploy(model="green"))

    async def second(local: LocalEndpoints) -> None:
        done = await local.outcome(begun[0])
        assert (done["status"], "server ended" in done["error"]["message"]) == ("Failed", True)
        assert (await local.score()).json == "blue"

    run_scenarios(tmp_path, first, second)


def test_an_update_right_after_a_restart_that_fails_leaves_what_served(tmp_path: Path) -> None:
    async def first(local: LocalEndpoints) -> None:
        await local.serving()

    async def second(local: LocalEndpoints) -> None:
        local.gates["blue"] = asyncio.Event()
        begun = await local.deploy(model="broken")
        local.gates["blue"].set()
        assert (await local.outcome(begun))["status"] == "Failed"
        assert (await local.score()).json == "blue"

    run_scenarios(tmp_path, first, second)


def test_each_instance_is_a_process(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving(capacity=3)
        assert len(local.processes["blue"]) == 3

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(
    ("container", "line"), [("InferenceServer", "Serving."), ("StorageInitializer", "Model blue"), (None, "Serving.")]
)
def test_each_container_has_its_log(tmp_path: Path, container: str | None, line: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        log = await local.arm("POST", "scored/deployments/blue/getLogs", {"tail": 1, "containerType": container})
        assert log.json["content"].endswith(line)
        assert log.json["content"].count("\n") == 0

    run_scenarios(tmp_path, scene)


def test_an_unknown_container_has_none(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        log = await local.arm("POST", "scored/deployments/blue/getLogs", {"containerType": "Sidecar"})
        assert (log.status, "StorageInitializer" in log.error["message"]) == (400, True)

    run_scenarios(tmp_path, scene)
