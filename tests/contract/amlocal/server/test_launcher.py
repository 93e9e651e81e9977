"""Servers seen from outside, with small processes in their place."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from amlocal import launcher, state
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import WorkspaceFolder
from amlocal.settings import Settings

ORIGIN = "https://127.0.0.1:1"
STUBBORN = ["sh", "-c", 'trap "" TERM; echo; while read x; do :; done']
OBEDIENT = ["sh", "-c", "echo; read x"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(root=tmp_path)
    settings.folder.create()
    state.open_identity(settings)
    return settings


@contextmanager
def holding(folder: WorkspaceFolder, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that holds the folder's lock, as a server does, and says so."""
    with folder.lock.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[lock.fileno()])
    assert process.stdout
    process.stdout.readline()
    folder.server.write_text(f'{{"pid": {process.pid}, "origin": "{ORIGIN}"}}')
    with process:
        yield process
        process.kill()


def test_a_server_that_runs_is_found(settings: Settings) -> None:
    with holding(settings.folder, OBEDIENT) as process:
        found = launcher.find(settings.folder)
        assert found == launcher.RunningServer(settings.folder, ORIGIN, process.pid)
        assert [running.pid for running in launcher.find_any(settings.root)] == [process.pid]


def test_a_server_that_was_killed_is_not_found(settings: Settings) -> None:
    with holding(settings.folder, OBEDIENT) as process:
        process.kill()
        process.wait()
        assert launcher.find(settings.folder) is None


def test_another_process_with_the_number_of_a_dead_server_is_not_taken_for_it(settings: Settings) -> None:
    state.write_server(settings.folder, ORIGIN)  # of this process, which holds no lock
    assert launcher.find(settings.folder) is None


def test_a_process_of_another_user_may_hold_the_lock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    with holding(settings.folder, OBEDIENT), monkeypatch.context() as patched:
        patched.setattr(os, "kill", refuse)
        found = launcher.find(settings.folder)
    assert found


def test_folders_without_a_workspace_are_passed_over(settings: Settings) -> None:
    (settings.root / "notes").mkdir()
    assert launcher.folders(settings.root) == [settings.folder]


@pytest.mark.parametrize(("command", "end"), [(OBEDIENT, signal.SIGTERM), (STUBBORN, signal.SIGKILL)])
def test_a_server_is_asked_to_end_and_made_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, command: list[str], end: signal.Signals
) -> None:
    monkeypatch.setattr(launcher, "STOP_TIMEOUT_S", 10.0 if end == signal.SIGTERM else 0.5)
    with holding(settings.folder, command) as process:
        running = launcher.find(settings.folder)
        assert running
        launcher.stop(running)
        assert process.wait() == -end
    assert launcher.find(settings.folder) is None


def test_a_server_that_has_ended_by_itself_is_stopped(settings: Settings) -> None:
    with holding(settings.folder, OBEDIENT) as process:
        running = launcher.find(settings.folder)
        process.kill()
        process.wait()
    assert running
    launcher.stop(running)


def test_a_lock_that_nothing_gives_back_is_reported(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "STOP_TIMEOUT_S", 0.05)
    with holding(settings.folder, OBEDIENT) as process:
        pass
    with state.acquire(settings.folder), pytest.raises(AmlocalError, match=rf"Process {process.pid} does not end\."):
        launcher.stop(launcher.RunningServer(settings.folder, ORIGIN, process.pid))


class Child:
    """Stands for the process that starts a server: says its line, leaves."""

    pid = 2**22 + 1  # no process has it

    def __init__(self, line: str, begin: Callable[[], None]) -> None:
        self._line, self._begin = line, begin
        self.arguments: list[str] = []
        self.received = ""

    def __call__(self, arguments: list[str], *, stdin: int, pass_fds: list[int], **_: Any) -> "Child":
        self.arguments = arguments
        self.received = os.read(stdin, 4096).decode()
        self._begin()
        os.write(pass_fds[0], self._line.encode())
        return self

    def wait(self) -> None:
        """Leave at once."""


@pytest.fixture
def spawn(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Child]:
    """Return what replaces the starting of processes by a child that says `line`."""

    def spawn(line: str, begin: Callable[[], None] = lambda: None) -> Child:
        child = Child(line, begin)
        monkeypatch.setattr(subprocess, "Popen", child)
        return child

    return spawn


def pretend(settings: Settings) -> Callable[[], None]:
    """Return what makes this process look like the server of the folder."""

    def begin() -> None:
        state.write_server(settings.folder, ORIGIN)

    return begin


def test_a_server_is_started_with_the_settings_and_found(settings: Settings, spawn: Callable[..., Child]) -> None:
    lock = settings.folder.lock.open("a+")
    fcntl.flock(lock, fcntl.LOCK_EX)  # the file's lock, whatever process holds it

    child = spawn(f"ready {ORIGIN}\n", pretend(settings))
    with lock:
        running = launcher.start(settings)
    assert (running.origin, running.identity.name) == (ORIGIN, "local")
    assert child.received == settings.to_json()
    assert str(settings.root) not in " ".join(child.arguments)


def test_a_server_that_runs_is_not_started_again(settings: Settings, spawn: Callable[..., Child]) -> None:
    with holding(settings.folder, OBEDIENT) as process:
        child = spawn("never")
        assert launcher.start(settings).pid == process.pid
        assert child.arguments == []


def test_a_server_of_other_names_is_not_the_one_asked_for(settings: Settings) -> None:
    other = Settings(root=settings.root, resource_group="elsewhere")
    with holding(settings.folder, OBEDIENT), pytest.raises(AmlocalError, match="'elsewhere'"):
        launcher.start(other)


def test_the_reason_of_a_server_that_does_not_come_up_is_passed_on(
    settings: Settings, spawn: Callable[..., Child]
) -> None:
    spawn("Port 1 is in use.\n")
    with pytest.raises(AmlocalError, match=r"^Port 1 is in use\.$"):
        launcher.start(settings)


@pytest.mark.parametrize("line", ["", f"ready {ORIGIN}\n"])
def test_a_server_that_ended_meanwhile_leads_to_its_log(
    settings: Settings, spawn: Callable[..., Child], line: str
) -> None:
    spawn(line)
    with pytest.raises(AmlocalError, match=r"ended while it started; its log is .*server\.log"):
        launcher.start(settings)


def test_a_server_that_takes_too_long_is_ended(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "START_TIMEOUT_S", 0.05)
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def slow(_: list[str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(["sleep", "60"], **options))
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", slow)
    with pytest.raises(AmlocalError, match="did not come up within"):
        launcher.start(settings)
    assert started[0].returncode == -signal.SIGKILL


def test_a_server_leads_programs_to_its_workspace(settings: Settings) -> None:
    environ = launcher.RunningServer(settings.folder, ORIGIN, 1).environ()
    assert environ["ARM_CLOUD_METADATA_URL"] == f"{ORIGIN}/metadata"
    assert environ["AZUREML_ARM_WORKSPACE_NAME"] == "local"
