"""What every request meets before and after its handler."""

import asyncio
import errno
import json
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.app import MAX_BODY, App
from amlocal.core.context import Context, Identity, random_ids, system_clock
from amlocal.core.errors import BadRequest, Unauthorized
from amlocal.core.http import ByteBudget, Call, Handler, Reply, Route
from tests.unit.amlocal.asgi import FEW, ORIGIN, Client, Workspace, chunks

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),  # lone surrogates too
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def check(header: str) -> None:
    if header != "Bearer good":
        raise Unauthorized("No.")


def serving(handler: Handler, *, method: str = "GET", path: str = "/here", auth: str = "open", **traits: Any) -> Client:
    """Return a client of an application with one route, which needs no workspace behind it."""
    context = Context(Identity("s", "g", "w", "guid"), ORIGIN, None, system_clock, random_ids)  # type: ignore[arg-type]
    return Client(App(context, [Route(method, path, handler, auth, **traits)], check, nullcontext))


def constant(body: Any = None, **traits: Any) -> Handler:
    return lambda _: Reply(body=body, **traits)


def keeping(seen: list[Call]) -> Handler:
    def handler(call: Call) -> Reply:
        seen.append(call)
        return Reply()

    return handler


def failing(error: Exception) -> Handler:
    def handler(_: Call) -> Reply:
        raise error

    return handler


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


class TestWhatIsNotServed:
    @pytest.mark.parametrize("prefix", ["", "/history/v1.0", "/mferp/managementfrontend"])
    def test_another_workspace_is_azures_404_and_says_which_one_is_here(
        self, workspace: Workspace, prefix: str
    ) -> None:
        other = workspace.arm.replace("workspaces/local", "workspaces/elsewhere")
        answer = workspace.ask("GET", f"{prefix}{other}/data/x")
        assert (answer.status, set(answer.error)) == (404, {"code", "message"})
        assert answer.error["code"] == "ResourceNotFound"
        assert answer.headers["x-ms-failure-cause"] == "gateway"
        for word in (
            "workspaces/elsewhere' under resource group 'amlocal'",
            "'local'",
            workspace.identity.subscription,
        ):
            assert word in answer.error["message"]

    @pytest.mark.parametrize("part", ["subscription", "resource_group"])
    def test_a_workspace_of_the_same_name_elsewhere_is_another(self, workspace: Workspace, part: str) -> None:
        other = workspace.arm.replace(getattr(workspace.identity, part), "elsewhere")
        assert workspace.ask("GET", other).error["code"] == "ResourceNotFound"

    def test_a_path_that_azure_has_and_amlocal_has_not_is_named(self, workspace: Workspace) -> None:
        answer = workspace.get("schedules/s", **{"api-version": "2023-06-01-preview"})
        assert (answer.status, answer.error["code"]) == (501, "NotImplemented")
        assert answer.error["message"].startswith("Schedules are not served by amlocal yet.")

    def test_a_path_without_an_api_version_is_named_too(self) -> None:
        answer = serving(constant())("PUT", "/nowhere")
        assert answer.error["message"] == "amlocal does not serve PUT /nowhere (api-version none)."

    def test_another_method_is_405_with_those_that_are_taken(self, workspace: Workspace) -> None:
        answer = workspace.ask("PATCH", workspace.arm_of("data/n/versions/1"))
        assert (answer.status, answer.error["code"]) == (405, "MethodNotAllowed")
        assert answer.headers["allow"] == "DELETE, GET, PUT"
        assert "DELETE, GET, PUT" in answer.error["message"]


class TestWhoAsks:
    @pytest.mark.parametrize(("header", "status"), [("Bearer good", 200), ("Bearer bad", 401), (None, 401)])
    def test_a_route_is_closed_unless_it_is_open(self, header: str | None, status: int) -> None:
        headers = {"authorization": header} if header else {}
        assert serving(constant(), auth="bearer")("GET", "/here", headers=headers).status == status

    def test_the_body_of_one_who_may_not_ask_is_not_read(self) -> None:
        too_large = chunks(b"x" * (MAX_BODY + 1))
        assert serving(constant(), auth="bearer", method="PUT")("PUT", "/here", messages=too_large).status == 401


class TestWhatGoesIn:
    def test_a_call_holds_the_request_raw_and_parsed(self) -> None:
        seen: list[Call] = []
        target = "/here/a%20b?x=1&x=2&empty=&p=%C3%BC+%2F"
        ask = serving(keeping(seen), path="/here/{name}", method="PUT")
        ask("PUT", target, b"{}", headers={"x-own": "v"})
        (call,) = seen
        assert call.path == {"name": "a b"}
        assert call.query == {"x": "2", "empty": "", "p": "ü /"}
        assert (call.target, call.url) == (target, f"{ORIGIN}{target}")
        assert (call.method, call.content, call.headers["x-own"]) == ("PUT", b"{}", "v")

    @FEW
    @given(parts=st.lists(st.binary(max_size=20), max_size=5))
    def test_a_body_in_parts_is_whole(self, parts: list[bytes]) -> None:
        seen: list[Call] = []
        serving(keeping(seen), method="PUT")("PUT", "/here", messages=chunks(*parts))
        assert seen[0].content == b"".join(parts)

    def test_a_body_that_streams_arrives_in_its_parts(self) -> None:
        async def handler(call: Call) -> Reply:
            assert call.content == b""
            return Reply(200, [part.decode() async for part in call.stream()])

        answer = serving(handler, method="PUT", streaming=True)("PUT", "/here", messages=chunks(b"a", b"", b"bc"))
        assert answer.json == ["a", "bc"]

    @pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 200), (MAX_BODY + 1, 413)])
    def test_a_body_has_a_largest_size(self, size: int, status: int) -> None:
        half = b"x" * (size // 2)
        answer = serving(constant(), method="PUT")("PUT", "/here", messages=chunks(half, b"x" * (size - len(half))))
        assert answer.status == status

    def test_a_body_that_streams_has_none(self) -> None:
        async def handler(call: Call) -> Reply:
            return Reply(200, sum([len(part) async for part in call.stream()]))

        parts = chunks(b"x" * MAX_BODY, b"x")
        answer = serving(handler, method="PUT", streaming=True)("PUT", "/here", messages=parts)
        assert answer.json == MAX_BODY + 1

    @pytest.mark.parametrize("streaming", [True, False])
    def test_a_client_that_goes_away_half_way_is_not_answered(self, streaming: bool) -> None:
        finished: list[bytes] = []

        async def handler(call: Call) -> Reply:
            finished.append(b"".join([part async for part in call.stream()]))
            return Reply()

        ask = serving(handler, method="PUT", streaming=streaming)
        assert ask.send("PUT", "/here", messages=chunks(b"half", whole=False)) is None
        assert finished == []


class TestWhatComesOut:
    @FEW
    @given(body=JSON.filter(lambda body: body is not None))
    def test_any_json_comes_back(self, body: object) -> None:
        answer = serving(constant(body))("GET", "/here")
        assert answer.json == body
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert int(answer.headers["content-length"]) == len(answer.body)

    def test_bytes_go_out_as_they_are(self) -> None:
        answer = serving(constant(b"\xff", media_type="application/xml"))("GET", "/here")
        assert (answer.body, answer.headers["content-type"]) == (b"\xff", "application/xml")

    def test_nothing_is_an_empty_body_without_a_type(self) -> None:
        answer = serving(constant())("GET", "/here")
        assert (answer.body, answer.headers["content-length"]) == (b"", "0")
        assert "content-type" not in answer.headers

    def test_a_stream_goes_out_in_its_parts(self) -> None:
        answer = serving(lambda _: Reply(body=stream(b"a", b"bc")))("GET", "/here")
        assert [part for part in answer.parts if part] == [b"a", b"bc"]
        assert "content-length" not in answer.headers

    def test_a_handler_may_wait(self) -> None:
        async def handler(_: Call) -> Reply:
            return Reply(201, {"a": 1})

        assert serving(handler)("GET", "/here").status == 201

    def test_every_answer_carries_azures_headers(self) -> None:
        headers = serving(constant())("GET", "/here").headers
        assert float(headers["x-request-time"]) >= 0
        assert headers["x-ms-correlation-request-id"] == headers["x-ms-request-id"]
        assert (headers["x-ms-response-type"], headers["cache-control"]) == ("standard", "no-cache")

    def test_a_handler_has_the_last_word_on_headers(self) -> None:
        answer = serving(constant(headers={"Cache-Control": "no-store", "X-Own": "v"}))("GET", "/here")
        assert (answer.headers["cache-control"], answer.headers["x-own"]) == ("no-store", "v")

    def test_head_is_get_without_its_body(self) -> None:
        answer = serving(constant({"a": 1}))("HEAD", "/here")
        assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "7")

    def test_head_does_not_run_through_a_stream(self) -> None:
        read: list[bytes] = []

        async def costly() -> AsyncIterator[bytes]:
            read.append(b"x")
            yield b"x"

        assert serving(lambda _: Reply(body=costly()))("HEAD", "/here").body == b""
        assert read == []

    def test_a_request_is_logged_without_its_query(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, "amlocal"):
            serving(constant())("GET", "/here?sig=secret")
        assert "GET /here 200" in caplog.text
        assert "secret" not in caplog.text


class TestWhatGoesWrong:
    def test_a_refusal_is_azures_envelope(self) -> None:
        answer = serving(failing(BadRequest("No.")))("GET", "/here")
        assert (answer.status, answer.error["code"], answer.error["message"]) == (400, "UserError", "No.")
        assert answer.headers["x-ms-response-type"] == "error"

    def test_no_refusal_asks_to_be_sent_again(self) -> None:
        # The SDK sends any 4xx with this header again and again.
        assert "retry-after" not in serving(failing(BadRequest("No.")))("GET", "/here").headers

    def test_what_nobody_foresaw_is_500_and_only_the_log_says_what(self, caplog: pytest.LogCaptureFixture) -> None:
        answer = serving(failing(ZeroDivisionError("the secret of the matter")))("GET", "/here")
        assert (answer.status, answer.error["code"]) == (500, "InternalServerError")
        assert b"secret of the matter" not in answer.body
        assert b"ZeroDivisionError" not in answer.body
        assert answer.headers["x-ms-request-id"] in answer.error["message"]
        assert "secret of the matter" in caplog.text
        assert answer.headers["x-ms-request-id"] in caplog.text

    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.ENOSPC, "No space left on device"),
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            sqlite3.OperationalError("database or disk is full"),
        ],
    )
    def test_a_full_disk_says_so(self, error: Exception) -> None:
        answer = serving(failing(error))("GET", "/here")
        assert (answer.status, answer.error["code"]) == (507, "InsufficientStorage")
        assert "Free some space" in answer.error["message"]

    @pytest.mark.parametrize("error", [PermissionError("no"), sqlite3.OperationalError("disk I/O error")])
    def test_other_faults_of_the_machine_are_500(self, error: Exception) -> None:
        assert serving(failing(error))("GET", "/here").status == 500

    @pytest.mark.parametrize("body", [b"{", b"[1]", b"7", b"\xff"])
    def test_a_body_that_is_no_object_is_400(self, workspace: Workspace, body: bytes) -> None:
        answer = workspace.ask("PUT", workspace.arm_of("data/n/versions/1"), body)
        assert (answer.status, answer.error["code"]) == (400, "UserError")

    def test_the_error_of_a_refused_head_has_no_body(self) -> None:
        answer = serving(failing(BadRequest("No.")))("HEAD", "/here")
        assert (answer.status, answer.body) == (400, b"")


def test_a_number_that_is_none_goes_out_as_null() -> None:
    answer = serving(constant({"value": [float("inf"), float("nan"), 1.5, {"x": -float("inf")}]}))("GET", "/here")
    assert answer.body == b'{"value":[null,null,1.5,{"x":null}]}'


@pytest.mark.parametrize("number", ["1e999", "-1e400", "NaN", "Infinity"])
def test_a_number_that_json_cannot_hold_is_refused(workspace: Workspace, number: str) -> None:
    body = f'{{"properties": {{"image": "i", "tags": {{"n": {number}}}}}}}'.encode()
    answer = workspace.ask("PUT", workspace.arm_of("environments/n/versions/1"), body)
    assert (answer.status, answer.error["code"]) == (400, "UserError")
    assert workspace.get("environments").json == {"value": []}


@FEW
@given(body=st.dictionaries(st.text(), JSON, max_size=3))
def test_an_error_can_be_read_back(body: dict[str, object]) -> None:
    answer = serving(failing(BadRequest(json.dumps(body))))("GET", "/here")
    assert json.loads(answer.error["message"]) == body


@FEW
@given(items=st.lists(JSON, min_size=8, max_size=12), rest=st.dictionaries(st.text(), JSON, max_size=2))
def test_a_long_list_is_written_item_by_item_to_the_same_text(items: list[Any], rest: dict[str, Any]) -> None:
    body = {"value": items, **{key: value for key, value in rest.items() if key != "value"}}
    answer = serving(constant(body))("GET", "/here")
    assert answer.body == json.dumps(body, separators=(",", ":")).encode()


class TestHowMuchIsRead:
    def test_a_body_that_states_too_much_is_not_waited_for(self) -> None:
        stated = {"content-length": str(MAX_BODY + 1)}
        answer = serving(constant(), method="PUT")("PUT", "/here", headers=stated, messages=[])
        assert answer.status == 413

    def test_every_open_route_looks_at_the_caller_before_the_body(self, workspace: Workspace) -> None:
        assert [route.path for route in workspace.app.routes if route.auth == "open" and not route.streaming] == []

    def test_without_room_for_its_body_a_request_is_sent_again_later(self) -> None:
        ask = serving(constant(), method="PUT")
        ask.app._budget = ByteBudget(100_000, patience_s=0)  # type: ignore[attr-defined]
        stated = {"content-length": "100001"}
        answer = ask("PUT", "/here", b"x" * 100_001, headers=stated)
        assert (answer.status, answer.headers["retry-after"], answer.error["code"]) == (429, "1", "TooManyRequests")
        assert ask("PUT", "/here", b"x" * 100_000, headers={"content-length": "100000"}).status == 200
        assert ask.app._budget.free == 100_000  # type: ignore[attr-defined]

    def test_a_query_of_thousands_of_keys_is_refused(self) -> None:
        assert serving(constant())("GET", "/here?" + "a&" * 1500).status in {200, 400}
        assert serving(constant())("GET", "/here?" + "a=1&" * 1500).status == 400

    def test_what_a_header_cannot_hold_is_replaced(self) -> None:
        answer = serving(constant(headers={"X-Echo": "a\r\nb\u20ac\xe9"}))("GET", "/here")
        assert answer.headers["x-echo"] == "a??b?\xe9"


def test_large_bodies_are_worked_on_one_at_a_time_and_small_ones_in_between() -> None:
    busy, most, done = set[bytes](), 0, list[bytes]()

    async def handler(call: Call) -> Reply:
        nonlocal most
        if len(call.content) > 100:
            busy.add(call.content)
            most = max(most, len(busy))
            for _ in range(20):
                await asyncio.sleep(0)
            busy.discard(call.content)
        done.append(call.content)
        return Reply()

    client = serving(handler, method="PUT")

    async def send() -> None:
        large = [bytes([number]) * 20_000 for number in range(3)]
        await asyncio.gather(*(client.exchange("PUT", "/here", body) for body in (*large, b"small")))

    asyncio.run(send())
    assert most == 1
    assert (done[0], len(done)) == (b"small", 4)
