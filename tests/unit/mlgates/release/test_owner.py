import os
import subprocess
import sys

import pytest

from mlgates.release.owner import Owner

HERE = Owner.here({})


def test_a_process_is_known_by_person_and_machine() -> None:
    assert HERE.name.endswith(f"@{HERE.host}")
    assert HERE.process == os.getpid()


@pytest.mark.parametrize(
    ("environ", "name"),
    [({"GITHUB_RUN_ID": "7"}, "GitHub run 7"), ({"BUILD_BUILDID": "8"}, "Azure DevOps run 8")],
)
def test_a_pipeline_is_known_by_its_run(environ: dict[str, str], name: str) -> None:
    assert Owner.here(environ).name == name


def test_what_this_process_holds_is_its_own() -> None:
    assert HERE.may_take_over(HERE.to_facts())


def test_what_a_living_process_of_this_machine_holds_is_not() -> None:
    living = Owner(HERE.name, HERE.host, os.getppid())
    assert not HERE.may_take_over(living.to_facts())


def test_what_a_dead_process_of_this_machine_held_is_free() -> None:
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    assert HERE.may_take_over(Owner("Bob", HERE.host, int(done.stdout)).to_facts())


def test_what_another_machine_holds_is_not_ours_to_judge() -> None:
    assert not HERE.may_take_over(Owner(HERE.name, "elsewhere", 1).to_facts())


def test_the_next_attempt_of_a_run_takes_over_on_whichever_machine() -> None:
    first = Owner("GitHub run 7", "agent-1", 1, is_run=True)
    assert Owner("GitHub run 7", "agent-2", 2, is_run=True).may_take_over(first.to_facts())
    assert not Owner("GitHub run 8", "agent-2", 2, is_run=True).may_take_over(first.to_facts())
