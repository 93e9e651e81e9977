import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop

from amlocal.jobs import process
from tests.contract.amlocal.jobs.test_supervisor import is_alive
from tests.unit.amlocal.jobs.workspace import until


def on_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on the loop that the server uses."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@dataclass
class Shell:
    """Runs commands in a folder and reads their log."""

    folder: Path
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    async def run(self, command: str, timeout_s: float | None = None, grace_s: float = 30.0) -> int:
        return await process.run_command(
            command, folder=self.folder, environ=self.environ, log=self.log, timeout_s=timeout_s, grace_s=grace_s
        )

    def printed(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def open_files() -> set[str]:
    """Return what this process's descriptors refer to."""
    found = set()
    for number in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{number.name} {number.readlink()}")
        except FileNotFoundError:
            continue  # the one that listed the folder
    return found


def test_a_command_runs_in_its_folder_with_its_variables(shell: Shell, tmp_path: Path) -> None:
    shell.environ["A"] = "x"
    assert on_loop(shell.run('pwd; echo "$A"; echo oops >&2; exit 3')) == 3
    assert shell.printed() == f"{tmp_path}\nx\noops\n"


def test_the_log_is_added_to(shell: Shell) -> None:
    shell.log.write_text("before\n")
    assert on_loop(shell.run("echo after")) == 0
    assert shell.printed() == "before\nafter\n"


async def cancelled(shell: Shell, command: str, **options: float) -> int:
    """Cancel a command once it printed a process id; return that id."""
    task = asyncio.create_task(shell.run(command, **options))
    await until(lambda: "\n" in shell.printed())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return int(shell.printed().split()[0])


def test_a_cancelled_command_has_ended_with_all_that_it_started(shell: Shell) -> None:
    assert not is_alive(on_loop(cancelled(shell, "sleep 600 & echo $!; wait")))


def test_a_cancelled_command_that_does_not_listen_is_killed(shell: Shell) -> None:
    command = "trap '' TERM; echo $$; while :; do sleep 0.01; done"
    assert not is_alive(on_loop(cancelled(shell, command, grace_s=0.1)))


def test_a_cancelled_command_has_time_to_clean_up(shell: Shell) -> None:
    on_loop(cancelled(shell, "trap 'echo cleaned; exit' TERM; echo $$; while :; do sleep 0.01; done"))
    assert shell.printed().endswith("cleaned\n")


def test_a_command_that_is_cancelled_at_once_never_lives_on(shell: Shell) -> None:
    async def scene() -> None:
        task = asyncio.create_task(shell.run("echo $$; sleep 600", grace_s=0.1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    on_loop(scene())
    assert not [pid for pid in shell.printed().split() if is_alive(int(pid))]


def test_a_second_cancel_does_not_leave_the_command_behind(shell: Shell) -> None:
    async def scene() -> int:
        task = asyncio.create_task(shell.run("trap '' TERM; echo $$; while :; do sleep 0.01; done", grace_s=0.2))
        await until(lambda: "\n" in shell.printed())
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        return int(shell.printed())

    assert not is_alive(on_loop(scene()))


def test_a_command_that_takes_too_long_has_ended_with_a_timeout(shell: Shell) -> None:
    with pytest.raises(TimeoutError):
        on_loop(shell.run("echo $$; sleep 600", timeout_s=0.3))
    assert not [pid for pid in shell.printed().split() if is_alive(int(pid))]


def test_a_limit_that_is_not_reached_changes_nothing(shell: Shell) -> None:
    assert on_loop(shell.run("true", timeout_s=9e9)) == 0


def test_a_command_may_kill_itself(shell: Shell) -> None:
    assert on_loop(shell.run("kill -KILL $$")) == 128 + signal.SIGKILL


def test_what_is_too_large_for_a_process_is_an_error_of_the_machine(shell: Shell) -> None:
    shell.environ["LONG"] = "x" * 4_000_000
    with pytest.raises(OSError, match="Argument list too long"):
        on_loop(shell.run("true"))


def test_a_command_may_be_longer_than_an_argument(shell: Shell) -> None:
    assert on_loop(shell.run("true " + "x" * 4_000_000 + "; echo done")) == 0
    assert shell.printed() == "done\n"


@pytest.mark.skipif(sys.platform != "linux", reason="command lines are listed by Linux's /proc")
def test_a_command_is_in_no_command_line_and_in_no_variable(shell: Shell) -> None:
    async def scene() -> list[bytes]:
        running = asyncio.create_task(
            shell.run("true the-secret; echo started; while :; do sleep 0.05; done", grace_s=1)
        )
        await until(lambda: "started" in shell.printed())
        seen = _of_all_processes("cmdline") + _of_all_processes("environ")
        running.cancel()
        await asyncio.wait([running])
        return seen

    seen = on_loop(scene())
    assert not [line for line in seen if b"the-secret" in line]
    assert any(b"supervisor.py" in line for line in seen)


def _of_all_processes(file: str) -> list[bytes]:
    return [_content(path) for path in Path("/proc").glob(f"[0-9]*/{file}")]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended, or is another user's
        return b""


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("echo a; nosuchcommand", "a\n/bin/bash: line 1: nosuchcommand: command not found\n"),
        ("# a comment\necho $0 $#\n", "/bin/bash 0\n"),
        ("cat <<END\n$HOME-x\nEND", "-x\n"),
        ("echo 'a  b' \"c'd\"; ls /dev/fd | wc -l", "a  b c'd\n4\n"),  # 0, 1, 2, and that of ls
        ("if then", "/bin/bash: eval: line 1: syntax error near unexpected token `then'\n"
                    "/bin/bash: eval: line 1: `exec {0}<&-;if then'\n"),
    ],
)  # fmt: skip
def test_a_command_is_read_as_bash_reads_one_after_c(shell: Shell, command: str, printed: str) -> None:
    on_loop(shell.run(command))
    assert re.sub(r"exec \d+<", "exec {0}<", shell.printed()) == printed


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are listed by Linux's /proc")
@pytest.mark.parametrize("command", ["true", "exit 4", "true " + "x" * 200_000, "sleep 600"])
def test_no_descriptor_stays_open(shell: Shell, command: str) -> None:
    async def scene() -> tuple[set[str], set[str]]:
        await shell.run("true")  # what the loop opens once for all its children
        before = open_files()
        with contextlib.suppress(OSError):  # too large, or too long
            await shell.run(command, timeout_s=5 if command != "sleep 600" else 0.05)
        return before, open_files()

    before, after = on_loop(scene())
    assert after == before
