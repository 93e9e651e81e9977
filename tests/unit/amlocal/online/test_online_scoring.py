"""The scoring URL: who is let in, where a request goes, and in which words a failure comes back."""

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from amlocal.online.errors import WorkerDied
from amlocal.online.router import MAX_BODY
from amlocal.online_scoring.link import ScoringResponse as ModelAnswer
from tests.unit.amlocal.asgi import Answer
from tests.unit.amlocal.online.fake_backends import FakeBackend, eventually, settle
from tests.unit.amlocal.online.local_endpoints import LocalEndpoints, run_scenarios


def has_been_asked(process: FakeBackend, times: int) -> bool:
    return len(process.asked) >= times


@pytest.mark.parametrize("mode", ["Key", "AMLToken", "AADToken"])
def test_each_mode_lets_in_whom_it_knows(tmp_path: Path, mode: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint(authMode=mode)
        await local.outcome(await local.deploy())
        await local.endpoint(authMode=mode, traffic={"blue": 100})
        call, field = {"Key": ("listKeys", "secondaryKey"), "AMLToken": ("token", "accessToken")}.get(mode, ("", ""))
        good = (await local.arm("POST", f"scored/{call}")).json[field] if call else local.aad_token
        assert (await local.score(key=good)).json == "blue"
        denied = await local.score(key="wrong")
        assert (denied.status, denied.body.endswith(b"_auth_access_denied")) == (401, True)
        assert denied.headers["content-type"] == "text/plain"

    run_scenarios(tmp_path, scene)


def test_a_token_for_azures_management_does_not_score(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint(authMode="AADToken")
        denied = await local.score(key=local.client.token)
        assert (denied.status, denied.body) == (401, b"aad_auth_access_denied")

    run_scenarios(tmp_path, scene)


def test_traffic_is_shared_by_weight_and_the_header_goes_past_it(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        await local.serving("green")
        await local.endpoint(traffic={"blue": 30, "green": 70})
        key = await local.key()
        shares = Counter([(await local.score(key=key)).json for _ in range(300)])
        assert 60 <= shares["blue"] <= 120
        named = [await local.score(key=key, deployment="BLUE") for _ in range(20)]
        assert {answer.headers["azureml-model-deployment"] for answer in named} == {"blue"}

    run_scenarios(tmp_path, scene)


def test_a_mirror_gets_its_share_and_nobody_its_answers(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        await local.serving("shadow")
        local.processes["shadow"][0]._reply = lambda body: ModelAnswer(0, 500, b"{}")
        await local.endpoint(traffic={"blue": 100}, mirrorTraffic={"shadow": 50})
        key = await local.key()
        answers = [await local.score(b"%d" % number, key=key) for number in range(200)]
        await settle()
        assert {answer.json for answer in answers} == {"blue"}
        mirrored = local.processes["shadow"][0].bodies
        assert 60 <= len(mirrored) <= 140
        assert set(mirrored) <= set(local.processes["blue"][0].bodies)

    run_scenarios(tmp_path, scene)


def test_a_mirror_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        local.replies["shadow"] = lambda body: None
        await local.serving("shadow")
        await local.endpoint(traffic={"blue": 100}, mirrorTraffic={"shadow": 50})
        key = await local.key()
        assert {(await local.score(key=key)).status for _ in range(50)} == {200}

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize("deployment", [None, "grey"])
def test_where_nothing_serves_is_404(tmp_path: Path, deployment: str | None) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        await local.endpoint(traffic={})
        assert (await local.score(deployment=deployment)).status == 404

    run_scenarios(tmp_path, scene)


def test_an_endpoint_that_is_not_there_is_404(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        assert (await local.score(path="nowhere", key="any")).status == 404

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 200), (MAX_BODY + 1, 413)])
def test_a_body_may_have_a_megabyte_and_a_half(tmp_path: Path, size: int, status: int) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        assert (await local.score(b" " * size)).status == status

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(("status", "failed"), [(400, "False"), (500, "True"), (503, "True")])
def test_an_error_of_the_model_is_a_424_that_names_it(tmp_path: Path, status: int, failed: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        local.replies["blue"] = lambda body: ModelAnswer(0, status, b'{"error": "why"}')
        await local.serving()
        answer = await local.score()
        assert (answer.status, answer.json) == (424, {"error": "why"})
        assert answer.headers["ms-azureml-model-error-statuscode"] == str(status)
        assert answer.headers["ms-azureml-model-error-reason"] == "model_error"
        assert answer.headers["x-ms-run-function-failed"] == failed
        assert answer.headers["azureml-model-deployment"] == "blue"

    run_scenarios(tmp_path, scene)


def test_a_process_that_ends_is_a_424_as_azures_gateway_writes_it(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        local.replies["blue"] = lambda body: None
        await local.serving()
        asked = asyncio.create_task(local.score())
        await local.processes["blue"][0].was_asked.wait()
        local.processes["blue"][0].asked[0].set_exception(WorkerDied("it ended"))
        answer = await asked
        assert (answer.status, answer.headers["ms-azureml-model-error-statuscode"]) == (424, "502")

    run_scenarios(tmp_path, scene)


def test_a_model_that_takes_too_long_is_a_408(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        local.replies["blue"] = lambda body: None
        await local.serving(requestSettings={"requestTimeout": "PT0.01S"})
        answer = await local.score()
        assert (answer.status, "10 ms" in answer.error["message"]) == (408, True)

    run_scenarios(tmp_path, scene)


def test_the_time_in_the_queue_counts(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        local.replies["blue"] = lambda body: None
        await local.serving(requestSettings={"requestTimeout": "PT0.01S", "maxQueueWait": "PT1M"})
        key = await local.key()
        answers = await asyncio.gather(local.score(key=key), local.score(key=key))
        assert [answer.status for answer in answers] == [408, 408]

    run_scenarios(tmp_path, scene)


def test_what_is_beyond_the_queue_is_a_429(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        local.replies["blue"] = lambda body: None
        await local.serving(capacity=2)
        key = await local.key()
        asked = [asyncio.create_task(local.score(key=key)) for _ in range(4)]
        await eventually(lambda: all(process.asked for process in local.processes["blue"]))
        await settle()
        refused = await local.score(key=key)
        assert (refused.status, refused.headers["ms-azureml-model-error-reason"]) == (429, "too_many_pending_request")
        for turn in range(2):
            for process in local.processes["blue"]:
                await eventually(partial(has_been_asked, process, turn + 1))
                process.asked[turn].set_result(ModelAnswer(0))
        assert [answer.status for answer in await asyncio.gather(*asked)] == [200] * 4

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize("header", ["x-request-id", "x-ms-client-request-id"])
def test_a_request_keeps_the_id_that_its_caller_gave_it(tmp_path: Path, header: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        assert (await local.score(headers={header: "mine"})).headers["x-request-id"] == "mine"

    run_scenarios(tmp_path, scene)


def test_a_request_without_an_id_gets_one(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        ids = {(await local.score()).headers["x-request-id"] for _ in range(3)}
        assert len(ids) == 3

    run_scenarios(tmp_path, scene)


def test_a_script_says_what_kind_of_content_it_answers_with(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        local.replies["blue"] = lambda body: ModelAnswer(0, 200, b"a,b", media_type="text/csv")
        await local.serving()
        answer = await local.score()
        assert (answer.body, answer.headers["content-type"]) == (b"a,b", "text/csv")

    run_scenarios(tmp_path, scene)


async def description(local: LocalEndpoints, key: str, query: str = "") -> Answer:
    """Ask where the endpoint says that its description is."""
    uri = (await local.arm("GET", "scored")).json["properties"]["swaggerUri"]
    headers = {"authorization": f"Bearer {key}"}
    answer = await local.client.exchange("GET", f"{uri}{query}", headers=headers)
    assert answer is not None
    return answer


@pytest.mark.parametrize(("query", "version"), [("", "2"), ("?version=2", "2"), ("?version=3", "3")])
def test_the_description_of_an_endpoint_is_that_of_the_deployment_that_would_answer(
    tmp_path: Path, query: str, version: str
) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        answer = await description(local, await local.key(), query)
        assert (answer.status, answer.json) == (200, {"version": version})

    run_scenarios(tmp_path, scene)


def test_the_description_is_for_whom_may_score(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        assert (await description(local, "wrong")).status == 401
        await local.endpoint(traffic={})
        assert (await description(local, await local.key())).status == 404

    run_scenarios(tmp_path, scene)


def test_a_deployment_whose_processes_are_gone_has_no_description(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        key = await local.key()
        await local.processes["blue"][0].stop()
        assert (await description(local, key)).status == 424
        await settle()
        assert (await description(local, key)).status == 424

    run_scenarios(tmp_path, scene)
