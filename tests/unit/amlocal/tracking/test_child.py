"""MLflow's process, as far as it works without MLflow."""

import subprocess
import sys
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from amlocal.tracking.child import SecretCheck


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"MLflow"]


def answer(headers: dict[str, str]) -> tuple[str, bytes]:
    said: list[str] = []

    def start_response(status: str, *_: object) -> None:
        said.append(status)

    body = SecretCheck(application, "secret")({**headers}, start_response)  # type: ignore[arg-type]
    return said[0], b"".join(body)


def test_the_parent_is_let_in() -> None:
    assert answer({"HTTP_X_AMLOCAL_SECRET": "secret"}) == ("200 OK", b"MLflow")


@pytest.mark.parametrize("headers", [{}, {"HTTP_X_AMLOCAL_SECRET": ""}, {"HTTP_X_AMLOCAL_SECRET": "sécret"}])
def test_nobody_else_is(headers: dict[str, str]) -> None:
    assert answer(headers)[0] == "403 Forbidden"


def run(code: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", f"import sys, time\nfrom amlocal.tracking.child import *\n{code}"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_process_ends_when_its_parents_end_of_the_pipe_closes() -> None:
    code = (
        "threading.Thread(target=end_with, args=(sys.stdin.buffer,)).start()\nprint('up', flush=True)\ntime.sleep(60)"
    )
    with run(code) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_only_the_port_reaches_the_parent() -> None:
    with run("announce(4711)\nprint('chatter', flush=True)") as process:
        output, errors = process.communicate(timeout=10)
    assert output == b"4711\n"
    assert b"chatter" in errors
