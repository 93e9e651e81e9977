import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.unit.mlgates.release.test_locking import HERE

Other = tuple["subprocess.Popen[str]", dict[str, str]]
LIVING = (
    "import os, sys\nfrom mlgates.release.locking import Owner\nprint(repr(Owner.here({}).to_facts()), flush=True)\n"
)


@pytest.fixture
def other() -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """A process of this machine that lives until its test ends it, with what its lock would tell."""
    command = [sys.executable, "-c", f"{LIVING}sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts: dict[str, str] = eval(process.stdout.readline())
        yield process, facts
        process.kill()


def test_what_a_living_process_of_this_machine_holds_is_not(other: Other) -> None:
    assert not HERE.may_take_over(other[1])


def test_what_a_process_locked_that_was_killed_is_free(other: Other) -> None:
    process, facts = other
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert HERE.may_take_over(facts)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of processes that nobody has waited for")
def test_a_killed_process_is_dead_before_its_parent_has_looked(other: Other) -> None:
    process, facts = other
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert HERE.may_take_over(facts)


def test_a_process_number_that_was_given_again_is_another_process(other: Other) -> None:
    assert HERE.may_take_over({**other[1], "owner.started": "1"})


@pytest.mark.parametrize("name", ["owner.machine", "owner.process", "owner.started"])
def test_a_process_that_cannot_be_judged_is_not_dead(other: Other, name: str) -> None:
    process, facts = other
    process.kill()
    process.wait()
    assert not HERE.may_take_over({key: text for key, text in facts.items() if key != name})


def test_the_same_process_number_in_another_container_is_not_ours_to_judge(other: Other) -> None:
    process, facts = other
    process.kill()
    process.wait()
    boot, _, namespace = facts["owner.machine"].partition(" ")
    assert namespace
    assert not HERE.may_take_over({**facts, "owner.machine": f"{boot} pid:[1]"})


def test_the_process_of_another_user_is_alive(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refused)
    assert not HERE.may_take_over({**other[1], "owner.started": "1"})
