"""How the processes of a distributed job are watched and ended: no process is started, and no time passes."""

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amlocal.jobs import rank_launcher

FOR_EVER = 1e9


class World:
    """The processes of a plan, each of which ends at its time with its code."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.now = 0.0
        self.started: list[Fake] = []
        self.handlers: dict[int, Any] = {}
        self.plan = folder / "plan"
        self.ends: list[tuple[float, int]] = []
        self.stubborn: set[int] = set()
        system = SimpleNamespace(Popen=self._start, DEVNULL=-3)
        patch.setattr(rank_launcher, "subprocess", system)
        patch.setattr(rank_launcher, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self._sleep))
        patch.setattr(signal, "signal", self.handlers.__setitem__)
        patch.setattr(os, "killpg", self._kill)

    def run(self, *ends: tuple[float, int], unawaited: int | None = None, grace_s: float = 10.0) -> int:
        self.ends = list(ends)
        specs = [
            {"environ": {"RANK": str(at)}, "log": str(self.plan.with_name(f"{at}.txt")), "awaited": at != unawaited}
            for at in range(len(ends))
        ]
        self.plan.write_text(json.dumps({"command": ["train", "it"], "processes": specs}))
        return rank_launcher.main(str(self.plan), grace_s)

    @property
    def failed(self) -> str | None:
        file = self.plan.with_name("plan.failed")
        return Path(file.read_text()).name if file.exists() else None

    def _start(self, command: list[str], **options: Any) -> "Fake":
        assert command == ["train", "it"]
        at = len(self.started)
        self.started.append(Fake(self, at, options, *self.ends[at]))
        return self.started[-1]

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _kill(self, pid: int, number: int) -> None:
        process = self.started[pid]
        if process.poll() is not None:
            raise ProcessLookupError
        process.signals.append(number)
        if number == signal.SIGKILL or pid not in self.stubborn:
            process.ends, process.code = self.now, -number


class Fake:
    def __init__(self, world: World, pid: int, options: dict[str, Any], ends: float, code: int) -> None:
        self.world, self.pid, self.options, self.ends, self.code = world, pid, options, ends, code
        self.signals: list[int] = []

    def poll(self) -> int | None:
        return self.code if self.world.now >= self.ends else None

    @property
    def returncode(self) -> int | None:
        return self.poll()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(monkeypatch, tmp_path)


def test_all_that_end_well_are_waited_for(world: World) -> None:
    assert world.run((1, 0), (5, 0), (3, 0)) == 0
    assert world.now == pytest.approx(5, abs=0.1)
    assert world.failed is None
    assert not any(process.signals for process in world.started)


def test_each_has_its_environment_and_a_group_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_ALL", "1")
    world.run((0, 0), (0, 0))
    options = [process.options for process in world.started]
    assert [(one["env"]["RANK"], one["env"]["OF_ALL"]) for one in options] == [("0", "1"), ("1", "1")]
    assert [one["process_group"] for one in options] == [0, 0]
    assert [Path(one["stdout"].name).name for one in options] == ["0.txt", "1.txt"]
    assert all(one["stdout"] is one["stderr"] for one in options)


def test_the_first_that_fails_ends_the_others(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.run((FOR_EVER, 0), (2, 7), (FOR_EVER, 0)) == 7
    assert [process.signals for process in world.started] == [[signal.SIGTERM], [], [signal.SIGTERM]]
    assert world.failed == "1.txt"
    assert "process 1 of 3 ended with exit code 7" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_exit_code_of_a_signal_is_that_of_a_shell(world: World, number: int) -> None:
    assert world.run((1, -number)) == 128 + number


def test_one_that_does_not_end_when_asked_is_made_to(world: World) -> None:
    world.stubborn = {1}
    assert world.run((1, 3), (FOR_EVER, 0), grace_s=4) == 3
    assert world.started[1].signals == [signal.SIGTERM, signal.SIGKILL]
    assert world.now == pytest.approx(5, abs=0.1)


def test_one_that_is_not_awaited_is_ended_when_the_others_are_through(world: World) -> None:
    assert world.run((2, 0), (FOR_EVER, 0), unawaited=1) == 0
    assert world.started[1].signals == [signal.SIGTERM]
    assert world.failed is None


def test_one_that_is_not_awaited_may_fail_the_job(world: World) -> None:
    assert world.run((FOR_EVER, 0), (1, 4), unawaited=1) == 4
    assert world.failed == "1.txt"


def test_what_the_warden_sends_is_passed_on(world: World) -> None:
    world.run((0, 0), (1, 0))
    assert set(world.handlers) == {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}
    for process in world.started:
        process.ends = FOR_EVER
    world.handlers[signal.SIGINT](signal.SIGINT, None)
    assert [process.signals for process in world.started] == [[signal.SIGINT], [signal.SIGINT]]
