"""The supervisor as it is: a process of its own between a pipe and a job."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amlocal.jobs import supervisor

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
LONG = 600  # seconds that no test waits for


class Warden:
    """A supervisor that runs a shell script, whose lines are read as it prints them."""

    def __init__(self, script: str, folder: Path, grace_s: float = LONG) -> None:
        self.process = subprocess.Popen(
            [sys.executable, supervisor.__file__, str(grace_s), "--", "/bin/bash", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def line(self) -> str:
        return self.stdout.readline().strip()

    def stop(self) -> None:
        self.stdin.write("stop")
        self.stdin.flush()

    def end(self) -> int:
        """Wait for the supervisor, and until nobody holds the job's output any more; return the exit code."""
        code = self.process.wait(timeout=30)
        self.stdout.read()
        return code


def eventually(condition: Callable[[], bool], timeout_s: float = 30) -> bool:
    """Return whether the condition holds before the time is up."""
    tick, deadline = threading.Event(), time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        tick.wait(0.01)
    return True


Start = Callable[..., Warden]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    wardens: list[Warden] = []

    def begin(script: str, **options: float) -> Warden:
        wardens.append(Warden(script, tmp_path, **options))
        return wardens[-1]

    yield begin
    for one in wardens:
        one.stdin.close()
        one.process.wait(timeout=30)
        one.stdout.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_the_exit_code_is_the_commands(start: Start, code: int) -> None:
    assert start(f"exit {code}").end() == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_command_that_a_signal_ended_gives_128_and_its_number(start: Start, number: int) -> None:
    assert start(f"kill -{int(number)} $$").end() == 128 + number


def test_a_command_that_does_not_exist_is_127(start: Start) -> None:
    assert start("no-such-command-anywhere 2>/dev/null").end() == 127


def test_the_command_has_nothing_to_read(start: Start) -> None:
    one = start("cat; echo read")
    assert one.line() == "read"
    assert one.end() == 0


def test_what_runs_on_in_the_background_ends_with_the_command(start: Start) -> None:
    one = start(f"sleep {LONG} & echo $!")
    background = int(one.line())
    assert one.end() == 0
    assert not is_alive(background)


DAEMON = """
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
with open("pid", "w") as pid: pid.write(str(os.getpid()))
time.sleep(600)
"""


@LINUX
def test_a_daemon_that_left_the_group_ends_with_the_command(start: Start) -> None:
    one = start(f"mkfifo pid; {sys.executable} -c '{DAEMON}'; cat pid; echo")
    pid = int(one.line())
    assert one.end() == 0
    assert not is_alive(pid)


@LINUX
def test_a_family_of_daemons_ends_with_the_command(start: Start) -> None:
    one = start(f"for i in 1 2 3; do setsid bash -c 'setsid sleep {LONG} & echo $!; wait' & done; sleep {LONG}")
    pids = [int(one.line()) for _ in range(3)]
    one.stdin.close()
    assert one.end() == 128 + signal.SIGKILL
    assert not any(map(is_alive, pids))


def test_a_word_asks_the_command_to_end(start: Start) -> None:
    one = start("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done")
    assert one.line() == "ready"
    one.stop()
    assert one.line() == "bye"
    assert one.end() == 3


def test_all_of_a_compound_command_is_asked_and_has_time_to_end(start: Start) -> None:
    child = "trap 'sleep 0.1; echo saved; exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    one = start(f'bash -c "{child}"; echo not reached')
    assert one.line() == "ready"
    one.stop()
    assert one.line() == "saved"
    assert one.end() == 128 + signal.SIGTERM


def test_a_command_that_does_not_listen_is_killed_after_the_grace(start: Start) -> None:
    one = start("trap '' TERM; echo ready; while :; do sleep 0.01; done", grace_s=0.2)
    assert one.line() == "ready"
    one.stop()
    assert one.end() == 128 + signal.SIGKILL


def test_when_the_server_is_gone_the_command_is_killed_at_once(start: Start) -> None:
    one = start("trap '' TERM; echo $$; while :; do sleep 0.01; done")
    pid = int(one.line())
    one.stdin.close()
    assert one.end() == 128 + signal.SIGKILL
    assert not is_alive(pid)


def test_when_the_server_is_gone_within_the_grace_nobody_waits_for_it(start: Start) -> None:
    one = start("trap 'echo ignored' TERM; echo ready; while :; do sleep 0.01; done")
    assert one.line() == "ready"
    one.stop()
    assert one.line() == "ignored"
    one.stdin.close()
    assert one.end() == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_warden_that_is_asked_to_end_asks_the_command(start: Start, number: int) -> None:
    one = start("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done")
    assert one.line() == "ready"
    os.kill(one.process.pid, number)
    assert one.line() == "bye"
    assert one.end() == 3


@LINUX
def test_no_zombie_is_left_while_the_command_runs(start: Start) -> None:
    one = start(f"for i in 1 2 3; do (setsid true &); done; echo $$; exec sleep {LONG}")
    job, pid = int(one.line()), one.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    assert eventually(lambda: [int(child) for child in children.read_text().split()] == [job])


def test_many_short_commands_all_end(start: Start) -> None:
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(start("exit 5").end())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [5] * 8
