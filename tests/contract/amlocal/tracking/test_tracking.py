"""Tracking's routes from end to end, with a stand-in for MLflow's process."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amlocal.blobs import BlobStore
from amlocal.core.errors import ApiError, Unauthorized
from amlocal.core.http import Call, Reply, Router
from amlocal.tracking import tracking as tracking_module
from amlocal.tracking.mlflow_process import MlflowResponse
from amlocal.tracking.protocol import RunRecord
from amlocal.tracking.tracking import Tracking

MakeCall = Callable[..., Call]
Ask = Callable[..., Awaitable[Reply]]
Test = Callable[[Tracking, Ask], Awaitable[Any]]
STARTED = datetime(2026, 1, 2, tzinfo=UTC)
BEARER = {"authorization": "Bearer good"}
FILES = "/mlflow/api/2.0/mlflow-artifacts/artifacts"


def check(token: str) -> None:
    if token != "good":
        raise Unauthorized("not this one")


@pytest.fixture
def live(tmp_path: Path, blobs: BlobStore, make_call: MakeCall, stand_in: Sequence[str]) -> Callable[[Test], Any]:
    """Run a test against tracking, which is stopped behind it; `ask` goes through the route table."""

    def run(test: Test) -> Any:
        async def body() -> Any:
            tracking = Tracking(tmp_path, blobs, lenient=False, environ={}, command=stand_in)
            router = Router(tracking.routes(check))

            async def ask(method: str, path: str, query: str = "", **more: Any) -> Reply:
                match = router.find("GET" if method == "HEAD" else method, path)
                assert match is not None
                pairs = dict(pair.split("=", 1) for pair in query.split("&") if pair)
                headers = more.pop("headers", BEARER)
                target = f"{path}?{query}" if query else path
                call = make_call(method, target, path=match.path, query=pairs, headers=headers, **more)
                reply = match.route.handler(call)
                assert not isinstance(reply, Reply)
                return await reply

            try:
                return await test(tracking, ask)
            finally:
                await tracking.stop()

        return asyncio.run(body())

    return run


Live = Callable[[Test], Any]


async def content(reply: Reply) -> bytes:
    """Return what a reply streams."""
    assert isinstance(reply.body, AsyncIterator)
    return b"".join([piece async for piece in reply.body])


def got(reply: Reply) -> Any:
    """Return what the stand-in got."""
    assert isinstance(reply.body, bytes)
    return json.loads(reply.body)


def error(reply: Reply) -> tuple[int, str, str]:
    """Return an error's status and the two keys that MLflow's clients read."""
    body: Any = reply.body
    return reply.status, body["error_code"], body["message"]


def test_a_call_reaches_mlflow_as_it_was_sent(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("POST", "/mlflow/api/2.0/mlflow/runs/search", "a=b%20c", content=b'{"x": 1}')
        sent = ("POST", "/mlflow/api/2.0/mlflow/runs/search?a=b%20c", '{"x": 1}')
        assert tuple(got(reply)[key] for key in ("method", "target", "body")) == sent

    live(test)


def test_a_question_for_the_headers_alone_is_asked_as_a_get(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("HEAD", "/mlflow/api/2.0/mlflow/runs/get")
        assert got(reply)["method"] == "GET"

    live(test)


def test_a_question_is_asked_again_when_mlflow_is_killed_under_it(live: Live) -> None:
    async def test(tracking: Tracking, ask: Ask) -> None:
        await ask("GET", "/mlflow/api/2.0/mlflow/experiments/get")
        process = tracking._mlflow._process
        assert process is not None
        process.kill()  # not waited for: the call comes while it dies
        reply = await ask("GET", "/mlflow/api/2.0/mlflow/experiments/get")
        assert reply.status == 200
        assert tracking._mlflow._process is not process

    live(test)


def test_an_order_is_not_given_twice_when_mlflow_is_killed_under_it(live: Live) -> None:
    async def test(tracking: Tracking, ask: Ask) -> None:
        await ask("GET", "/mlflow/api/2.0/mlflow/experiments/get")
        process = tracking._mlflow._process
        assert process is not None
        process.kill()
        lost = await ask("POST", "/mlflow/api/2.0/mlflow/runs/create", content=b"{}")
        assert error(lost)[1] == "TEMPORARILY_UNAVAILABLE"
        after = await ask("POST", "/mlflow/api/2.0/mlflow/runs/create", content=b"{}")
        assert after.status == 200

    live(test)


def test_a_runs_record_is_there_before_a_later_call(live: Live, tmp_path: Path) -> None:
    async def test(tracking: Tracking, ask: Ask) -> None:
        await tracking.start()
        recorded = [
            asyncio.create_task(tracking.record_run(RunRecord(f"run{number}", "e", "n", "RUNNING", STARTED)))
            for number in range(3)
        ]
        await asyncio.sleep(0)
        await ask("GET", "/mlflow/api/2.0/mlflow/runs/get", "run_id=run0")
        assert all(task.done() for task in recorded)

    live(test)
    lines = (tmp_path / "seen").read_text().splitlines()
    assert [line.split()[1] for line in lines] == [
        "/runs/run0",
        "/runs/run1",
        "/runs/run2",
        "/mlflow/api/2.0/mlflow/runs/get?run_id=run0",
    ]


@pytest.mark.parametrize(
    ("run_id", "message"),
    [("status=400", "MLflow's words"), ("status=500 plain", "MLflow's server answered 500: b'no json'")],
)
def test_a_record_that_mlflow_refuses_is_an_error_in_its_words(live: Live, run_id: str, message: str) -> None:
    async def test(tracking: Tracking, _: Ask) -> None:
        with pytest.raises(ApiError, match=message):
            await tracking.record_run(RunRecord(run_id, "e", "n", "RUNNING", STARTED))

    live(test)


def test_what_azure_refuses_never_reaches_mlflow(live: Live, tmp_path: Path) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("POST", "/mlflow/api/2.0/mlflow/%6Cogged-models")
        assert reply.status == 404

    live(test)
    assert not (tmp_path / "seen").exists()


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer bad"}])
@pytest.mark.parametrize(
    "path", ["/mlflow/api/2.0/mlflow/runs/get", f"{FILES}/1/r/artifacts/a", "/mlflow/graphql", "/mlflow/"]
)
def test_nothing_is_served_without_the_token(live: Live, headers: dict[str, str], path: str) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("GET", path, headers=headers)
        assert error(reply)[:2] == (401, "UNAUTHENTICATED")

    live(test)


def test_an_artifact_goes_up_and_comes_down(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        path = f"{FILES}/1/r/artifacts/model/gr%C3%B6%C3%9Fe.txt"
        assert (await ask("PUT", path, content=b"hello world")).status == 200
        reply = await ask("GET", path)
        assert await content(reply) == b"hello world"
        assert reply.media_type == "text/plain"
        assert reply.headers["Content-Disposition"] == "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt"
        assert reply.headers["Content-Length"] == "11"

    live(test)


def test_a_folder_is_listed_in_mlflows_terms(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        await ask("PUT", f"{FILES}/1/r/artifacts/model/a.bin", content=b"x")
        listed = await ask("GET", FILES, "path=1/r/artifacts/model")
        assert listed.body == {"files": [{"path": "a.bin", "is_dir": False, "file_size": 1}]}

    live(test)


@pytest.mark.parametrize("api_root", ["api", "ajax-api"])
def test_a_run_is_listed_by_its_own_paths(live: Live, api_root: str) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        await ask("PUT", f"{FILES}/1/r/artifacts/model/a.bin", content=b"x")
        listed = await ask("GET", f"/mlflow/{api_root}/2.0/mlflow/artifacts/list", "run_uuid=r&path=model")
        assert listed.body == {
            "root_uri": "mlflow-artifacts:/1/r",
            "files": [{"path": "model/a.bin", "is_dir": False, "file_size": 1}],
        }

    live(test)


def test_the_browser_gets_an_artifact_by_run_and_path(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        await ask("PUT", f"{FILES}/1/r/artifacts/page.html", content=b"<script>")
        reply = await ask("GET", "/mlflow/get-artifact", "run_uuid=r&path=page.html")
        assert await content(reply) == b"<script>"
        assert reply.headers["Content-Disposition"].startswith("attachment;")
        assert reply.headers["X-Content-Type-Options"] == "nosniff"

    live(test)


def test_an_artifact_is_deleted_but_never_all_of_a_run(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        await ask("PUT", f"{FILES}/1/r/artifacts/a", content=b"x")
        assert (await ask("DELETE", f"{FILES}/1/r/artifacts/")).status == 400
        assert (await ask("DELETE", f"{FILES}/1/r/artifacts/a")).status == 200
        reply = await ask("GET", f"{FILES}/1/r/artifacts/a")
        assert error(reply)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")

    live(test)


def test_a_path_that_leaves_the_run_is_refused_in_mlflows_terms(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("PUT", f"{FILES}/1/r/artifacts/..%2F..%2Fother", content=b"x")
        assert error(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")

    live(test)


def test_uploads_in_parts_are_refused_with_the_words_that_clients_fall_back_on(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("POST", "/mlflow/api/2.0/mlflow-artifacts/mpu/create/1/r/artifacts")
        status, code, message = error(reply)
        assert (status, code) == (501, "NOT_IMPLEMENTED")
        assert message.startswith("Multipart upload is not supported for the current artifact repository")

    live(test)


def test_a_link_with_the_token_begins_a_visit(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("GET", "/mlflow/", "token=good", headers={"host": "127.0.0.1:1"})
        visitor = {"host": "127.0.0.1:1", "cookie": reply.headers["Set-Cookie"].partition(";")[0]}
        assert got(await ask("GET", "/mlflow/", headers=visitor))["target"] == "/mlflow/"

    live(test)


def test_a_link_with_another_token_does_not(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        assert (await ask("GET", "/mlflow/", "token=bad", headers={})).status == 401

    live(test)


def test_the_pages_are_at_the_path_with_a_slash(live: Live) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("GET", "/mlflow", "token=good", headers={})
        assert (reply.status, reply.headers["Location"]) == (308, "/mlflow/?token=good")

    live(test)


def test_mlflow_that_does_not_start_is_said_to_the_client(
    tmp_path: Path, blobs: BlobStore, make_call: MakeCall
) -> None:
    async def run() -> Reply:
        tracking = Tracking(tmp_path, blobs, lenient=False, environ={}, command=("false",))
        match = Router(tracking.routes(check)).find("GET", "/mlflow/api/2.0/mlflow/runs/get")
        assert match is not None
        reply = match.route.handler(make_call("GET", "/mlflow/api/2.0/mlflow/runs/get", headers=BEARER))
        assert not isinstance(reply, Reply)
        return await reply

    reply = asyncio.run(run())
    assert error(reply)[:2] == (424, "TEMPORARILY_UNAVAILABLE")
    assert "did not start" in error(reply)[2]


@pytest.mark.parametrize(
    ("answer", "body", "status", "code"),
    [
        (500, b"<h1>Internal Server Error</h1>", 400, "INVALID_PARAMETER_VALUE"),
        (500, b'{"error_code": "INTERNAL_ERROR", "message": "Python int too large"}', 400, "INVALID_PARAMETER_VALUE"),
        (502, b"", 400, "INVALID_PARAMETER_VALUE"),
        (500, b'{"message": "(sqlite3.OperationalError) database or disk is full"}', 424, "TEMPORARILY_UNAVAILABLE"),
        (503, b'{"message": "try again"}', 424, "TEMPORARILY_UNAVAILABLE"),
        (503, b'{"message": "(sqlite3.OperationalError) at most 64 tables in a join"}', 400, "INVALID_PARAMETER_VALUE"),
        (503, b'{"message": "(sqlite3.OperationalError) too many FROM clause"}', 400, "INVALID_PARAMETER_VALUE"),
        (503, b'{"message": "Expression tree is too large (maximum depth 1000)"}', 400, "INVALID_PARAMETER_VALUE"),
        (501, b'{"message": "not served"}', 501, "NOT_IMPLEMENTED"),
    ],
)
def test_what_mlflow_fails_on_is_refused(
    live: Live, monkeypatch: pytest.MonkeyPatch, answer: int, body: bytes, status: int, code: str
) -> None:
    async def fail(*_: Any) -> MlflowResponse:
        return MlflowResponse(answer, {}, body)

    async def test(_: Tracking, ask: Ask) -> None:
        monkeypatch.setattr(tracking_module, "send_request", fail)
        reply = await ask("POST", "/mlflow/api/2.0/mlflow/runs/search", content=b"{}")
        assert error(reply)[:2] == (status, code)

    live(test)


@pytest.mark.parametrize(
    "content", [b"[" * 5000, b'{"value": 1e999}', b'{"value": NaN}', b'{"a": "\\ud800"}', b"[]", b"{"]
)
def test_a_body_that_no_strict_reader_takes_is_refused_before_mlflow_sees_it(live: Live, content: bytes) -> None:
    async def test(_: Tracking, ask: Ask) -> None:
        reply = await ask("POST", "/mlflow/api/2.0/mlflow/runs/log-metric", content=content)
        assert error(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")

    live(test)
