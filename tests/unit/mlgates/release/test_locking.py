import os
from collections.abc import Mapping
from dataclasses import replace

import pytest

from mlgates.release.locking import Owner

HERE = Owner.here({})
GITHUB = {"GITHUB_RUN_ID": "7", "GITHUB_JOB": "release", "GITHUB_RUN_ATTEMPT": "1"}
AZURE_DEVOPS = {"BUILD_BUILDID": "8", "SYSTEM_STAGENAME": "prod", "SYSTEM_STAGEATTEMPT": "1"}


def of(environ: Mapping[str, str], **more: str) -> Owner:
    """An owner in another process on another machine."""
    seen = replace(Owner.here({**environ, **more}), id=os.urandom(4).hex())
    return replace(seen, machine=f"elsewhere {seen.id}")


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
