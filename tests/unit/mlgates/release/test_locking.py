import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from mlgates.release.locking import Owner

HERE = Owner.here({})
GITHUB = {"GITHUB_RUN_ID": "7", "GITHUB_JOB": "release", "GITHUB_RUN_ATTEMPT": "1"}
AZURE_DEVOPS = {"BUILD_BUILDID": "8", "SYSTEM_STAGENAME": "prod", "SYSTEM_STAGEATTEMPT": "1"}
LIVING = (
    "import os, sys\nfrom mlgates.release.locking import Owner\nprint(repr(Owner.here({}).to_facts()), flush=True)\n"
)


def of(environ: Mapping[str, str], **more: str) -> Owner:
    """An owner in another process on another machine."""
    seen = replace(Owner.here({**environ, **more}), id=os.urandom(4).hex())
    return replace(seen, machine=f"elsewhere {seen.id}")


@pytest.fixture
def other() -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """A process of this machine that lives until its test ends it, with what its lock would tell."""
    command = [sys.executable, "-c", f"{LIVING}sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts: dict[str, str] = eval(process.stdout.readline())
        yield process, facts
        process.kill()


def test_a_process_is_known_by_person_and_machine_to_people() -> None:
    assert "@" in HERE.name
    assert HERE.process == os.getpid()


def test_a_process_keeps_its_id() -> None:
    assert Owner.here({}).id == HERE.id


@pytest.mark.parametrize(("environ", "name"), [(GITHUB, "GitHub run 7"), (AZURE_DEVOPS, "Azure DevOps run 8")])
def test_a_pipeline_is_known_by_its_run_to_people(environ: dict[str, str], name: str) -> None:
    assert Owner.here(environ).name == name


def test_what_this_process_holds_is_its_own() -> None:
    assert Owner.here({}).may_take_over(HERE.to_facts())


Other = tuple["subprocess.Popen[str]", dict[str, str]]


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


@pytest.mark.parametrize(
    ("environ", "attempt"), [(GITHUB, "GITHUB_RUN_ATTEMPT"), (AZURE_DEVOPS, "SYSTEM_STAGEATTEMPT")]
)
def test_the_next_attempt_of_a_run_takes_over_on_whichever_machine(environ: dict[str, str], attempt: str) -> None:
    first = of(environ)
    assert of(environ, **{attempt: "2"}).may_take_over(first.to_facts())
    assert not first.may_take_over(of(environ, **{attempt: "2"}).to_facts())


@pytest.mark.parametrize("environ", [GITHUB, AZURE_DEVOPS])
def test_the_jobs_of_a_matrix_share_a_run_and_no_lock(environ: dict[str, str]) -> None:
    assert not of(environ).may_take_over(of(environ).to_facts())


@pytest.mark.parametrize("environ", [{"GITHUB_RUN_ID": "7"}, {"BUILD_BUILDID": "8"}])
def test_a_run_that_does_not_say_its_attempt_takes_nothing_over(environ: dict[str, str]) -> None:
    assert not of(environ).may_take_over(of(environ).to_facts())


@pytest.mark.parametrize(
    ("environ", "more"),
    [
        (GITHUB, {"GITHUB_RUN_ID": "8", "GITHUB_RUN_ATTEMPT": "2"}),
        (GITHUB, {"GITHUB_REPOSITORY": "o/other", "GITHUB_RUN_ATTEMPT": "2"}),
        (AZURE_DEVOPS, {"SYSTEM_STAGENAME": "dev", "SYSTEM_STAGEATTEMPT": "2"}),
        (AZURE_DEVOPS, {"BUILD_BUILDID": "9", "SYSTEM_STAGEATTEMPT": "2"}),
    ],
)
def test_another_run_takes_nothing_over(environ: dict[str, str], more: dict[str, str]) -> None:
    assert not of(environ, **more).may_take_over(of(environ).to_facts())


def test_what_an_earlier_edition_locked_is_not_taken_over() -> None:
    assert not HERE.may_take_over({"owner": HERE.name, "host": "here", "process": "999999"})
