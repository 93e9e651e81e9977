from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import BadRequest, Conflict, NotFound
from amlocal.jobs.status import Status
from amlocal.jobs.store import is_synced
from tests.unit.amlocal.jobs.desk import ENVIRONMENT, Desk, accepted, open_jobs

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


def test_a_step_that_is_not_allowed_changes_nothing(desk: Desk) -> None:
    before = desk.submit_in(Status.COMPLETED)
    assert not desk.jobs.advance("job", Status.FAILED, error={"error": {}})
    assert desk.jobs.get("job") == before


def test_the_dates_of_a_job_are_those_of_its_steps(desk: Desk) -> None:
    desk.submit_in(Status.PREPARING)
    desk.clock.advance(seconds=1)
    desk.jobs.advance("job", Status.RUNNING)
    desk.clock.advance(seconds=2)
    desk.jobs.advance("job", Status.FAILED)
    body = desk.jobs.get("job").body
    dates = [body[key][17:] for key in ("created", "started", "ended")]
    assert dates == ["05.25+00:00", "06.25+00:00", "08.25+00:00"]


@pytest.mark.parametrize("name", ["", "a.b", "a/b", "..", "a b", "-a", "ü", "a" * 256, "a\n", "a\0"])
def test_a_name_that_mlflow_would_not_take_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(BadRequest, match="job name"):
        desk.submit(name)


def test_a_missing_job_is_named(desk: Desk) -> None:
    with pytest.raises(NotFound, match="Job other not found in workspace ws"):
        desk.jobs.get("other")


def test_the_same_submission_again_is_the_same_job(desk: Desk) -> None:
    known = desk.submit_in(Status.RUNNING, codeId="code")
    again = desk.jobs.resubmit(known, accepted(desk.context, codeId="code"))
    assert again.body["status"] == Status.RUNNING
    assert again.body["properties"] == known.body["properties"]


@pytest.mark.parametrize("key", OTHERS)
def test_another_definition_under_the_same_name_is_a_conflict(desk: Desk, key: str) -> None:
    known = desk.submit()
    with pytest.raises(Conflict, match=key):
        desk.jobs.resubmit(known, accepted(desk.context, **{key: OTHERS[key]}))
    assert desk.jobs.get("job") == known


def test_a_resubmission_may_rename_tag_and_archive(desk: Desk) -> None:
    changes: dict[str, Any] = {"displayName": "My job", "description": "mine", "tags": {"a": "1"}, "isArchived": True}
    kept = desk.jobs.resubmit(desk.submit(), accepted(desk.context, **changes)).body["properties"]
    assert {key: kept[key] for key in changes} == changes


def test_properties_can_be_added_and_not_changed(desk: Desk) -> None:
    desk.submit(properties={"a": "1"})
    kept = desk.jobs.change("job", {"properties": {"a": "2", "_azureml.ComputeTargetType": "mine", "b": "3"}})
    assert kept.body["properties"]["properties"] == {"_azureml.ComputeTargetType": "amlctrain", "a": "1", "b": "3"}


def test_what_may_not_change_is_left_alone(desk: Desk) -> None:
    desk.submit()
    assert desk.jobs.change("job", {"command": "rm"}).body["properties"]["command"] == "true"


def test_keeping_outputs_leaves_a_change_made_meanwhile(desk: Desk) -> None:
    desk.submit(outputs={"y": {}})
    desk.jobs.change("job", {"displayName": "renamed"})
    desk.jobs.keep_outputs("job", {"y": {"uri": "there"}})
    kept = desk.jobs.get("job").body["properties"]
    assert (kept["displayName"], kept["outputs"]) == ("renamed", {"y": {"uri": "there"}})


def test_listeners_hear_of_every_change_and_of_no_refused_step(desk: Desk) -> None:
    heard: list[str] = []
    desk.jobs.subscribe(heard.append)
    desk.submit("a")
    desk.jobs.advance("a", Status.PREPARING)
    desk.jobs.advance("a", Status.QUEUED)
    desk.jobs.change("a", {"displayName": "A"})
    desk.jobs.keep_outputs("a", {})
    assert heard == ["a"] * 4


def test_a_job_is_untracked_until_its_last_change_was_tracked(desk: Desk) -> None:
    document = desk.submit()
    assert desk.jobs.unsynced() == ["job"]
    desk.jobs.advance("job", Status.PREPARING)
    desk.jobs.mark_synced("job", document.body["revision"])
    assert desk.jobs.unsynced() == ["job"]
    desk.jobs.mark_synced("job", desk.jobs.get("job").body["revision"])
    assert desk.jobs.unsynced() == []
    assert is_synced(desk.jobs.get("job"))


def test_marking_a_deleted_job_does_not_bring_it_back(desk: Desk) -> None:
    desk.submit()
    assert desk.jobs.delete("job")
    desk.jobs.mark_synced("job", 1)
    assert desk.jobs.find("job") is None
    assert not desk.jobs.delete("job")


def test_unfinished_jobs_come_in_the_order_of_their_submission(desk: Desk) -> None:
    for name, status in (("a", Status.RUNNING), ("b", Status.FAILED), ("c", Status.STARTING)):
        desk.submit_in(status, name)
    assert [document.name for document in desk.jobs.unfinished()] == ["a", "c"]
    assert [document.name for document in desk.jobs.listed().all()] == ["c", "b", "a"]


def test_the_environment_of_the_desk_is_a_curated_one(desk: Desk) -> None:
    assert desk.stores.lookup().environment(ENVIRONMENT) is None
