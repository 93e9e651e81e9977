"""Processes of a deployment, real ones, that speak the protocol but hold no model; and their headers."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.online.deployment_build import DeploymentBuild
from amlocal.online.deployment_logs import DeploymentLog
from amlocal.online.deployment_manager import make_backend
from amlocal.online.errors import NotSent, ProcessDied, WorkerDied
from amlocal.online.pool import Backend
from amlocal.online.scoring_process import ScoringProcess
from amlocal.online.script_process import ScriptProcess, from_script, to_script
from tests.unit.amlocal.online.fake_backends import eventually

SRC = str(Path(sys.modules["amlocal"].__path__[0]).parent)

# Answers each request with its own body in capitals; `exit` and `hang` do that.
ECHO = """
import os, socket, sys, time
from amlocal.online_scoring.link import ScoringResponse, pack_response, take_requests
server, buffer = socket.socket(fileno=int(sys.argv[1])), bytearray()
print("echo is up", flush=True)
server.sendall(pack_response(ScoringResponse(0)))
while chunk := server.recv(2**16):
    buffer += chunk
    for request in take_requests(buffer):
        if request.body == b"exit":
            os._exit(3)
        if request.body != b"hang":
            server.sendall(pack_response(ScoringResponse(request.number, 200, request.body.upper())))
"""

# The inference server in small: one path for health, one for scoring.
SMALL = """
import os, socketserver, sys, time
from http.server import BaseHTTPRequestHandler

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, b"Healthy" if self.path == "/" else self.path.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"drop":
            self.connection.close()
            return
        if body == b"exit":
            os._exit(3)
        self.answer(200 if self.path == "/score" else 404, body.upper())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", self.headers.get("Content-Type") or "text/plain")
        self.send_header("X-Got", "|".join(f"{key.lower()}={value}" for key, value in self.headers.items()))
        self.send_header("X-Request-Id", "the script's")
        self.send_header("Set-Cookie", "session=secret")
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "server"

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

print("small is up", flush=True)
Server(sys.argv[1] + ":5001", Handler).serve_forever()
"""


def run_scenarios(
    kind: Callable[..., Any],
    program: str,
    folder: Path,
    scene: Callable[[Any, DeploymentLog], Awaitable[None]],
    *,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Play a scene with one process, which runs a program in `folder`."""

    async def within() -> None:
        log = DeploymentLog(folder / "log.txt")
        process: Backend = kind([sys.executable, "-c", program], {"PYTHONPATH": SRC, **(environ or {})}, folder, log)
        try:
            async with asyncio.timeout(20):
                await scene(process, log)
        finally:
            await process.stop()

    asyncio.run(within())


def test_answers_find_their_questions(tmp_path: Path) -> None:
    async def scene(process: ScoringProcess, log: DeploymentLog) -> None:
        await process.start()
        answers = await asyncio.gather(*(process.ask(f"q{number}".encode(), "") for number in range(50)))
        assert [answer.body for answer in answers] == [f"Q{number}".encode() for number in range(50)]
        await process.stop()
        assert "echo is up" in log.tail(5)

    run_scenarios(ScoringProcess, ECHO, tmp_path, scene)


def test_a_process_that_ends_fails_what_it_was_asked_and_what_it_is_asked_later(tmp_path: Path) -> None:
    async def scene(process: ScoringProcess, log: DeploymentLog) -> None:
        await process.start()
        hanging, last = process.ask(b"hang", ""), process.ask(b"exit", "")
        for future in (hanging, last):
            with pytest.raises(ProcessDied):
                await future
        assert await process.ended() == 3
        with pytest.raises(NotSent):
            await process.ask(b"more", "")
        with pytest.raises(NotSent):
            await process.ping()

    run_scenarios(ScoringProcess, ECHO, tmp_path, scene)


def test_a_process_that_never_comes_up_says_why_in_the_log(tmp_path: Path) -> None:
    async def scene(process: ScoringProcess, log: DeploymentLog) -> None:
        with pytest.raises(ProcessDied):
            await process.start()
        await process.stop()
        assert "no luck" in log.tail(5)

    run_scenarios(ScoringProcess, "raise SystemExit('no luck')", tmp_path, scene)


def test_a_process_is_asked_once_whether_it_is_alive_until_it_says_so(tmp_path: Path) -> None:
    async def scene(process: ScoringProcess, log: DeploymentLog) -> None:
        await process.start()
        first = process.ping()
        assert process.ping() is first
        assert (await first).number == 0
        assert process.ping() is not first

    run_scenarios(ScoringProcess, ECHO.replace('if request.body != b"hang"', "if True"), tmp_path, scene)


def test_a_process_that_was_never_started_has_ended_well(tmp_path: Path) -> None:
    async def scene(process: Backend, log: DeploymentLog) -> None:
        assert await process.ended() == 0
        with pytest.raises(NotSent):
            await process.ask(b"", "")

    for kind in (ScoringProcess, ScriptProcess):
        run_scenarios(kind, "", tmp_path, scene)


def test_a_script_is_asked_over_http_with_the_content_type_of_the_caller(tmp_path: Path) -> None:
    async def scene(process: ScriptProcess, log: DeploymentLog) -> None:
        await process.start()
        answer = await process.ask(b"abc", "text/csv")
        assert (answer.status, answer.body, answer.media_type) == (200, b"ABC", "text/csv")
        assert answer.took_ms > 0
        assert (await process.ask(b"", "")).status == 200
        await process.stop()
        assert "small is up" in log.tail(5)

    run_scenarios(ScriptProcess, SMALL, tmp_path, scene)


def test_headers_pass_both_ways_through_a_script(tmp_path: Path) -> None:
    sent = {"x-tenant": "caf\xe9", "authorization": "Bearer key", "connection": "close", "content-length": "9"}

    async def scene(process: ScriptProcess, log: DeploymentLog) -> None:
        await process.start()
        answer = await process.ask(b"abc", "text/csv", sent)
        got = answer.headers["x-got"].split("|")
        assert {"x-tenant=caf\xe9", "content-type=text/csv", "content-length=3"} <= set(got)
        assert not [header for header in got if header.startswith("authorization")]
        assert not {"x-request-id", "content-type", "content-length", "server", "date"} & answer.headers.keys()
        await process.stop()

    run_scenarios(ScriptProcess, SMALL, tmp_path, scene)


def test_a_cookie_that_a_script_gives_to_one_caller_is_nobody_elses(tmp_path: Path) -> None:
    async def scene(process: ScriptProcess, log: DeploymentLog) -> None:
        await process.start()
        assert (await process.ask(b"abc", "text/csv")).headers["set-cookie"] == "session=secret"
        assert "cookie=" not in (await process.ask(b"abc", "text/csv")).headers["x-got"]
        own = await process.ask(b"abc", "text/csv", {"cookie": "session=mine"})
        assert [each for each in own.headers["x-got"].split("|") if "cookie" in each] == ["cookie=session=mine"]

    run_scenarios(ScriptProcess, SMALL, tmp_path, scene)


def test_a_script_whose_connection_breaks_has_lost_one_request(tmp_path: Path) -> None:
    async def scene(process: ScriptProcess, log: DeploymentLog) -> None:
        await process.start()
        with pytest.raises(WorkerDied):
            await process.ask(b"drop", "")
        assert (await process.ask(b"abc", "")).body == b"ABC"

    run_scenarios(ScriptProcess, SMALL, tmp_path, scene)


def test_a_script_server_that_ends_is_not_there_for_the_next(tmp_path: Path) -> None:
    async def scene(process: ScriptProcess, log: DeploymentLog) -> None:
        await process.start()
        with pytest.raises(WorkerDied):
            await process.ask(b"exit", "")
        assert await process.ended() == 3
        with pytest.raises(NotSent):
            await process.ask(b"abc", "")
        missed = process.ping()
        assert process.ping() is missed
        assert not missed.done()

    run_scenarios(ScriptProcess, SMALL, tmp_path, scene)


def test_a_script_server_that_answers_is_alive(tmp_path: Path) -> None:
    async def scene(process: ScriptProcess, log: DeploymentLog) -> None:
        await process.start()
        assert (await process.ping()).number == 0

    run_scenarios(ScriptProcess, SMALL, tmp_path, scene)


def test_a_script_that_fails_at_its_start_says_why_in_the_log(tmp_path: Path) -> None:
    async def scene(process: ScriptProcess, log: DeploymentLog) -> None:
        with pytest.raises(ProcessDied):
            await process.start()
        await process.stop()
        assert "no luck" in log.tail(5)

    run_scenarios(ScriptProcess, "raise SystemExit('no luck')", tmp_path, scene)


@pytest.mark.parametrize(("kind", "program"), [(ScoringProcess, ECHO), (ScriptProcess, SMALL)])
def test_a_stopped_process_leaves_none_behind(tmp_path: Path, kind: Callable[..., Any], program: str) -> None:
    spawn = "import subprocess, sys\nchild = subprocess.Popen(['sleep', '1000'])\nprint('pid', child.pid, flush=True)\n"

    async def scene(process: Backend, log: DeploymentLog) -> None:
        await process.start()
        await eventually(lambda: "pid" in log.tail(5))
        (child,) = (int(line.split()[1]) for line in log.tail(5).splitlines() if line.startswith("pid"))
        os.kill(child, 0)
        await process.stop()
        await eventually(partial(is_gone, child))

    run_scenarios(kind, spawn + program, tmp_path, scene)


def is_gone(pid: int) -> bool:
    """Return whether a process is no more, or waits only to be buried."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return stat.exists() and ") Z" in stat.read_text()
    except (ProcessLookupError, FileNotFoundError):
        return True


def test_a_killed_process_ends_with_the_signals_number(tmp_path: Path) -> None:
    async def scene(process: ScoringProcess, log: DeploymentLog) -> None:
        await process.start()
        assert process._process is not None
        os.kill(process._process.pid, signal.SIGKILL)
        assert await process.ended() == -9

    run_scenarios(ScoringProcess, ECHO, tmp_path, scene)


@pytest.mark.parametrize(("is_script", "kind"), [(True, ScriptProcess), (False, ScoringProcess)])
def test_an_image_says_which_kind_of_process_it_is_for(tmp_path: Path, is_script: bool, kind: type) -> None:
    async def scene(process: Backend, log: DeploymentLog) -> None:
        assert isinstance(process, kind)

    run_scenarios(
        lambda command, environ, folder, log: make_backend(
            DeploymentBuild(tuple(command), environ, folder, is_script), log
        ),
        "",
        tmp_path,
        scene,
    )


def test_a_script_is_described_by_its_own_server(tmp_path: Path) -> None:
    async def scene(process: ScriptProcess, log: DeploymentLog) -> None:
        await process.start()
        assert (await process.describe("3")).body == b"/swagger.json?version=3"

    run_scenarios(ScriptProcess, SMALL, tmp_path, scene)


def test_a_model_is_described_by_its_image(tmp_path: Path) -> None:
    async def scene(process: Backend, log: DeploymentLog) -> None:
        assert (await process.describe("3")).body == b"document"

    def made(command: list[str], environ: Mapping[str, str], folder: Path, log: DeploymentLog) -> Backend:
        return make_backend(
            DeploymentBuild(tuple(command), environ, folder, is_script=False, document=b"document"), log
        )

    run_scenarios(made, "", tmp_path, scene)


NAMES = st.from_regex(r"[a-z][a-z-]{0,15}", fullmatch=True)
HOP = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"]
OWN = ["azureml-model-deployment", "ms-azureml-model-error-statuscode", "x-ms-run-function-failed", "x-ms-request-id",
       "x-request-id"]  # fmt: skip


@given(st.dictionaries(NAMES.map("x-a-".__add__), st.text(max_size=9)))
def test_a_callers_own_headers_pass_both_ways(headers: dict[str, str]) -> None:
    assert to_script(headers) == headers
    assert from_script((name.title(), value) for name, value in headers.items()) == headers


def test_a_connections_headers_pass_neither_way() -> None:
    assert to_script(dict.fromkeys(HOP, "x")) == {}
    assert from_script((name.title(), "x") for name in HOP) == {}


def test_a_script_learns_no_key() -> None:
    assert to_script({"authorization": "Bearer key", "x-tenant": "a"}) == {"x-tenant": "a"}


def test_a_script_does_not_speak_for_azure() -> None:
    assert from_script((name, "x") for name in [*OWN, *(name.upper() for name in OWN)]) == {}


def test_headers_of_one_name_are_joined() -> None:
    assert from_script([("Vary", "a"), ("vary", "b")]) == {"vary": "a, b"}
