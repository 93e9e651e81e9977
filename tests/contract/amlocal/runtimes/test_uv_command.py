"""uv as a child process."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from amlocal.runtimes.errors import BuildCancelled, EnvironmentUnsatisfiable
from amlocal.runtimes.uv_command import run_uv

# A build backend that says through a socket that it runs, and then does nothing.
HANGING_BACKEND = """
import signal, socket
def build_wheel(*arguments, **settings):
    with socket.create_connection(("127.0.0.1", {port})) as connection:
        connection.sendall(b"!")
        signal.pause()
"""
HANGING_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "hanging"
version = "1.0"
"""


def _run(*arguments: str, environ: dict[str, str], cancelled: threading.Event | None = None) -> list[str]:
    log: list[str] = []
    run_uv(arguments, purpose="it fails", environ=environ, log=log.append, cancelled=cancelled or threading.Event())
    return log


@pytest.fixture
def python(offline: dict[str, str], tmp_path: Path) -> Path:
    _run("venv", "--no-project", str(tmp_path / "venv"), environ=offline)
    return tmp_path / "venv" / "bin" / "python"


def test_what_uv_says_is_logged_line_by_line(offline: dict[str, str], tmp_path: Path) -> None:
    log = _run("venv", "--no-project", str(tmp_path / "venv"), environ=offline)
    assert any(line.startswith("Creating virtual environment") for line in log)


def test_a_failure_gives_the_reason_of_uv_in_one_line(offline: dict[str, str], python: Path) -> None:
    with pytest.raises(EnvironmentUnsatisfiable) as caught:
        _run("pip", "install", f"--python={python}", "absent==9", environ=offline)
    assert str(caught.value).startswith("it fails: No solution found when resolving dependencies")
    assert "absent" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_failure_without_a_word_is_said_to_be_one(offline: dict[str, str], python: Path) -> None:
    with pytest.raises(EnvironmentUnsatisfiable, match="it fails: uv failed without a word"):
        _run("-qq", "pip", "install", f"--python={python}", "absent==9", environ=offline)


def test_a_cancelled_build_stops_with_all_that_it_started(
    offline: dict[str, str], python: Path, tmp_path: Path
) -> None:
    project, cancelled = tmp_path / "project", threading.Event()
    project.mkdir()
    (project / "pyproject.toml").write_text(HANGING_PROJECT)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(30)
        (project / "backend.py").write_text(HANGING_BACKEND.format(port=server.getsockname()[1]))
        command = ("pip", "install", f"--python={python}", str(project))
        build = pool.submit(_run, *command, environ=offline, cancelled=cancelled)
        try:
            backend, _ = server.accept()
            with backend:
                backend.settimeout(30)
                assert backend.recv(1) == b"!"
                cancelled.set()
                assert backend.recv(1) == b""  # the backend is gone, and its end of the connection with it
        finally:
            cancelled.set()
        with pytest.raises(BuildCancelled, match="it fails: cancelled"):
            build.result(30)


def test_an_error_of_the_log_stops_uv(offline: dict[str, str], tmp_path: Path) -> None:
    def full(line: str) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run_uv(
            ["venv", "--no-project", str(tmp_path / "venv")],
            purpose="it fails",
            environ=offline,
            log=full,
            cancelled=threading.Event(),
        )


def test_the_environment_that_is_active_does_not_matter(offline: dict[str, str], python: Path) -> None:
    elsewhere = {"VIRTUAL_ENV": "/nowhere", "UV_SYSTEM_PYTHON": "1", "UV_TARGET": "/nowhere", "PYTHONHOME": "/nowhere"}
    _run("pip", "check", f"--python={python}", environ={**offline, **elsewhere})
