from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import BadRequest, Conflict, NotFound
from amlocal.jobs.status import Status
from amlocal.jobs.store import is_synced
from tests.unit.amlocal.jobs.workspace import ENVIRONMENT, JobWorkspace, accepted, open_jobs

OTHERS: dict[str, Any] = {
    "command": "false",
    "environmentId": "azureml:AzureML-other:1",
    "computeId": "cpu-cluster",
    "codeId": "other-code",
    "inputs": {"x": {"jobInputType": "literal", "value": "1"}},
    "environmentVariables": {"A": "1"},
    "experimentName": "other",
}


@given(st.lists(st.sampled_from(list(Status)), max_size=25))
def test_a_job_that_ended_keeps_its_end_and_its_date(steps: list[Status]) -> None:
    with open_jobs() as (context, store):
        store.create("job", accepted(context))
        ends = []
        for step in steps:
            store.advance("job", step)
            if store.status("job").ended:
                ends.append((store.status("job"), store.get("job").body["ended"]))
        assert len(set(ends)) <= 1


def test_a_step_that_is_not_allowed_changes_nothing(workspace: JobWorkspace) -> None:
    before = workspace.submit_in(Status.COMPLETED)
    assert not workspace.jobs.advance("job", Status.FAILED, error={"error": {}})
    assert workspace.jobs.get("job") == before


def test_the_dates_of_a_job_are_those_of_its_steps(workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.PREPARING)
    workspace.clock.advance(seconds=1)
    workspace.jobs.advance("job", Status.RUNNING)
    workspace.clock.advance(seconds=2)
    workspace.jobs.advance("job", Status.FAILED)
    body = workspace.jobs.get("job").body
    dates = [body[key][17:] for key in ("created", "started", "ended")]
    assert dates == ["05.25+00:00", "06.25+00:00", "08.25+00:00"]


@pytest.mark.parametrize("name", ["", "a.b", "a/b", "..", "a b", "-a", "ü", "a" * 256, "a\n", "a\0"])
def test_a_name_that_mlflow_would_not_take_is_refused(workspace: JobWorkspace, name: str) -> None:
    with pytest.raises(BadRequest, match="job name"):
        workspace.submit(name)


def test_a_missing_job_is_named(workspace: JobWorkspace) -> None:
    with pytest.raises(NotFound, match="Job other not found in workspace ws"):
        workspace.jobs.get("other")


def test_the_same_submission_again_is_the_same_job(workspace: JobWorkspace) -> None:
    known = workspace.submit_in(Status.RUNNING, codeId="code")
    again = workspace.jobs.resubmit(known, accepted(workspace.context, codeId="code"))
    assert again.body["status"] == Status.RUNNING
    assert again.body["properties"] == known.body["properties"]


@pytest.mark.parametrize("key", OTHERS)
def test_another_definition_under_the_same_name_is_a_conflict(workspace: JobWorkspace, key: str) -> None:
    known = workspace.submit()
    with pytest.raises(Conflict, match=key):
        workspace.jobs.resubmit(known, accepted(workspace.context, **{key: OTHERS[key]}))
    assert workspace.jobs.get("job") == known


def test_a_resubmission_may_rename_tag_and_archive(workspace: JobWorkspace) -> None:
    changes: dict[str, Any] = {"displayName": "My job", "description": "mine", "tags": {"a": "1"}, "isArchived": True}
    kept = workspace.jobs.resubmit(workspace.submit(), accepted(workspace.context, **changes)).body["properties"]
    assert {key: kept[key] for key in changes} == changes


def test_properties_can_be_added_and_not_changed(workspace: JobWorkspace) -> None:
    workspace.submit(properties={"a": "1"})
    kept = workspace.jobs.change("job", {"properties": {"a": "2", "_azureml.ComputeTargetType": "mine", "b": "3"}})
    assert kept.body["properties"]["properties"] == {"_azureml.ComputeTargetType": "amlctrain", "a": "1", "b": "3"}


def test_what_may_not_change_is_left_alone(workspace: JobWorkspace) -> None:
    workspace.submit()
    assert workspace.jobs.change("job", {"command": "rm"}).body["properties"]["command"] == "true"


def test_keeping_outputs_leaves_a_change_made_meanwhile(workspace: JobWorkspace) -> None:
    workspace.submit(outputs={"y": {}})
    workspace.jobs.change("job", {"displayName": "renamed"})
    workspace.jobs.keep_outputs("job", {"y": {"uri": "there"}})
    kept = workspace.jobs.get("job").body["properties"]
    assert (kept["displayName"], kept["outputs"]) == ("renamed", {"y": {"uri": "there"}})


def test_listeners_hear_of_every_change_and_of_no_refused_step(workspace: JobWorkspace) -> None:
    heard: list[str] = []
    workspace.jobs.subscribe(heard.append)
    workspace.submit("a")
    workspace.jobs.advance("a", Status.PREPARING)
    workspace.jobs.advance("a", Status.QUEUED)
    workspace.jobs.change("a", {"displayName": "A"})
    workspace.jobs.keep_outputs("a", {})
    assert heard == ["a"] * 4


def test_a_job_is_untracked_until_its_last_change_was_tracked(workspace: JobWorkspace) -> None:
    document = workspace.submit()
    assert workspace.jobs.unsynced() == ["job"]
    workspace.jobs.advance("job", Status.PREPARING)
    workspace.jobs.mark_synced("job", document.body["revision"])
    assert workspace.jobs.unsynced() == ["job"]
    workspace.jobs.mark_synced("job", workspace.jobs.get("job").body["revision"])
    assert workspace.jobs.unsynced() == []
    assert is_synced(workspace.jobs.get("job"))


def test_marking_a_deleted_job_does_not_bring_it_back(workspace: JobWorkspace) -> None:
    workspace.submit()
    assert workspace.jobs.delete("job")
    workspace.jobs.mark_synced("job", 1)
    assert workspace.jobs.find("job") is None
    assert not workspace.jobs.delete("job")


def test_unfinished_jobs_come_in_the_order_of_their_submission(workspace: JobWorkspace) -> None:
    for name, status in (("a", Status.RUNNING), ("b", Status.FAILED), ("c", Status.STARTING)):
        workspace.submit_in(status, name)
    assert [document.name for document in workspace.jobs.unfinished()] == ["a", "c"]
    assert [document.name for document in workspace.jobs.listed().all()] == ["c", "b", "a"]


def test_the_environment_of_the_desk_is_a_curated_one(workspace: JobWorkspace) -> None:
    assert workspace.stores.lookup().environment(ENVIRONMENT) is None
