"""uv as a child process."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.runtimes import uv_command
from amlocal.runtimes.errors import BuildCancelled, EnvironmentUnsatisfiable
from amlocal.runtimes.uv_command import KEPT_LINES, OutputTail, reason, run_uv, uv_path

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


NEW_FAILURE = """\
Resolved 6 packages in 958ms
   Building scikit-learn==0.24.2
error: Failed to build `scikit-learn==0.24.2`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

         [stderr]
         Traceback (most recent call last):
           File "<string>", line 17, in <module>
         ModuleNotFoundError: No module named 'pkg_resources'

hint: This error likely indicates that `scikit-learn@0.24.2` depends on `pkg_resources`

[tool.uv.extra-build-dependencies]
scikit-learn = ["pkg_resources"]
"""
OLD_FAILURE = """\
  \u00d7 Failed to build `scikit-learn==0.24.2`
  ├─▶ The build backend returned an error
  ╰─▶ Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

      [stderr]
      Traceback (most recent call last):
        File "<string>", line 17, in <module>
      ModuleNotFoundError: No module named 'pkg_resources'

      hint: This usually indicates a problem with the package or the build environment.
"""
BACKEND = "Failed to build `scikit-learn==0.24.2`: The build backend returned an error: Call to "
NEW_CONFLICT = """\
error: No solution found when resolving dependencies
  cause: Because pandas==2.0.0 depends on numpy>=1.21.0 and you require pandas==2.0.0, we can conclude that it fails.
         And because you require numpy<1.20, we can conclude that your requirements are unsatisfiable.
"""
OLD_CONFLICT = """\
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because pandas==2.0.0 depends on numpy>=1.21.0 and you require pandas==2.0.0, we can conclude that it fails.
      And because you require numpy<1.20, we can conclude that your requirements are unsatisfiable.
"""


@pytest.mark.parametrize("said", [NEW_FAILURE, OLD_FAILURE], ids=["new", "old"])
def test_a_package_that_cannot_be_built_is_named_with_its_backends_own_error(said: str) -> None:
    message = reason(said.splitlines())
    assert message.startswith(BACKEND)
    assert message.endswith("failed (exit status: 1): ModuleNotFoundError: No module named 'pkg_resources'")


@pytest.mark.parametrize("said", [NEW_CONFLICT, OLD_CONFLICT], ids=["new", "old"])
def test_a_conflict_is_reported_in_full(said: str) -> None:
    assert reason(said.splitlines()) == (
        "No solution found when resolving dependencies: Because pandas==2.0.0 depends on numpy>=1.21.0 and you require "
        "pandas==2.0.0, we can conclude that it fails. And because you require numpy<1.20, we can conclude that your "
        "requirements are unsatisfiable."
    )


@pytest.mark.parametrize("said", [NEW_FAILURE, OLD_FAILURE], ids=["new", "old"])
def test_a_long_traceback_does_not_push_the_packages_name_out(said: str) -> None:
    frames = "".join(f'           File "x.py", line {number}, in f\n' for number in range(300))
    long = said.replace('  File "<string>"', f"{frames.lstrip()}           File", 1)
    assert reason(long.splitlines()).startswith(BACKEND)


@pytest.mark.parametrize("said", [NEW_FAILURE, OLD_FAILURE], ids=["new", "old"])
def test_a_compilers_error_is_not_taken_for_uvs(said: str) -> None:
    gcc = f'error: Command "gcc {"-I/a/folder " * 200}" failed with exit status 1'
    message = reason(said.replace("ModuleNotFoundError: No module named 'pkg_resources'\n", f"{gcc}\n").splitlines())
    assert message.startswith(BACKEND)
    assert 'error: Command "gcc -I/a/folder' in message
    assert message.endswith("failed with exit status 1")
    assert len(message) < 600


@given(st.integers(0, 40), st.sampled_from([(), ("Resolved 6 packages",)]))
def test_the_beginning_of_an_error_is_kept_however_much_follows(over: int, before: tuple[str, ...]) -> None:
    said = OutputTail()
    error = ["error: Failed to build `a`", "  cause: The build backend returned an error", "", "      [stderr]"]
    printed = [f"      line {number}" for number in range(KEPT_LINES - 20 + over)]
    for line in [*before, *error, *printed]:
        said.add(line)
    kept = said.lines()
    assert reason(kept) == f"Failed to build `a`: The build backend returned an error: line {len(printed) - 1}"
    assert len(kept) == len(set(kept))


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


def _not_found() -> str:
    raise FileNotFoundError("uv is not beside this Python")


def test_a_uv_on_the_path_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uv").touch(mode=0o755)
    monkeypatch.setattr(uv_command, "find_uv_bin", _not_found)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert uv_path() == str(tmp_path / "uv")


def test_without_any_uv_nothing_can_be_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uv_command, "find_uv_bin", _not_found)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentUnsatisfiable, match="not beside this Python"):
        uv_path()
