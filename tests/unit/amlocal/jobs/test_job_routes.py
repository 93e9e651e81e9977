from typing import Any

import pytest

from amlocal.jobs.status import Status
from tests.unit.amlocal.jobs.desk import Desk, submission
from tests.unit.amlocal.jobs.front import Front

BY_NAME = ["all", "of", "these"]


def put(front: Front, name: str = "job", **changes: Any) -> Any:
    return front.jobs("PUT", f"/{name}", {"properties": submission(**changes)})


def names(front: Front, **query: str) -> list[str]:
    return [item["name"] for item in front.jobs("GET", **query).body["value"]]


def test_a_new_job_is_answered_as_azure_does(front: Front) -> None:
    reply = put(front)
    assert (reply.status, reply.body["properties"]["status"]) == (201, "Starting")
    assert reply.headers["Location"] == f"https://127.0.0.1:8443{front.desk.context.arm}/jobs/job"
    assert (reply.body["id"], reply.body["name"]) == (f"{front.desk.context.arm}/jobs/job", "job")
    assert reply.body["systemData"].keys() == {"createdAt", "createdBy", "createdByType"}


def test_a_job_runs_once_however_often_it_is_put(front: Front) -> None:
    assert [put(front).status for _ in range(3)] == [201, 200, 200]
    assert front.runs.started == ["job"]


def test_another_job_under_the_same_name_is_a_conflict(front: Front) -> None:
    put(front)
    reply = put(front, command="false")
    assert (reply.status, front.runs.started) == (409, ["job"])
    assert "command" in reply.body["error"]["message"]


@pytest.mark.parametrize("name", ["a%20b", "a.b", "..", "%C3%BC", "a%2Fb", "a%00", "a%0Ab"])
def test_an_odd_name_is_refused_and_nothing_is_kept(front: Front, name: str) -> None:
    assert put(front, name).status == 400
    assert (front.desk.jobs.listed().all(), front.runs.started) == ([], [])


@pytest.mark.parametrize("body", [{}, {"properties": None}, {"properties": []}, {"properties": "x"}])
def test_a_body_without_properties_is_refused(front: Front, body: Any) -> None:
    assert front.jobs("PUT", "/job", body).status == 400


def test_a_job_can_be_asked_for(front: Front) -> None:
    put(front)
    assert front.jobs("GET", "/job").body["properties"]["status"] == "Running"
    assert front.jobs("GET", "/other").status == 404


def test_a_full_compute_queues(front: Front) -> None:
    for name in ("first", "second"):
        put(front, name, computeId="azureml:one")
    statuses = [front.jobs("GET", f"/{name}").body["properties"]["status"] for name in ("first", "second")]
    assert statuses == ["Running", "Queued"]


def test_jobs_are_listed_newest_first_without_the_archived(front: Front) -> None:
    for name in BY_NAME:
        put(front, name, isArchived=name == "of")
    assert names(front) == ["these", "all"]
    assert names(front, listViewType="ArchivedOnly") == ["of"]
    assert names(front, listViewType="All") == ["these", "of", "all"]


def test_jobs_are_listed_by_tag_and_type(front: Front) -> None:
    put(front, "a", tags={"team": "care"})
    put(front, "b", tags={"team": "cure"})
    put(front, "c")
    assert names(front, tag="team") == ["b", "a"]
    assert names(front, tag="team=care") == ["a"]
    assert names(front, jobType="Command") == ["c", "b", "a"]
    assert names(front, jobType="Pipeline") == []


def test_a_cancel_is_an_operation_that_ends_with_the_job(front: Front) -> None:
    put(front)
    reply = front.jobs("POST", "/job/cancel")
    assert (reply.status, reply.body) == (202, b"null")
    assert int(reply.headers["x-ms-retry-after-ms"]) <= 1000
    poll = reply.headers["Location"].removeprefix("https://127.0.0.1:8443").partition("?")[0]
    assert front.ask("GET", poll).status == 200
    assert front.jobs("GET", "/job").body["properties"]["status"] == "Canceled"


def test_a_cancel_that_is_under_way_is_polled_again(front: Front) -> None:
    front.desk.submit_in(Status.CANCEL_REQUESTED)
    poll = front.jobs("POST", "/job/cancel").headers["Location"].removeprefix("https://127.0.0.1:8443")
    reply = front.ask("GET", poll.partition("?")[0])
    assert (reply.status, reply.body) == (202, {})
    assert "Location" in reply.headers


def test_a_cancel_of_a_missing_job_is_not_found(front: Front) -> None:
    assert front.jobs("POST", "/other/cancel").status == 404


def test_a_job_that_ended_is_deleted_with_what_it_left(front: Front, desk: Desk) -> None:
    desk.submit_in(Status.COMPLETED)
    desk.blobs.put_bytes("azureml", "ExperimentRun/dcid.job/user_logs/std_log.txt", b"old")
    assert front.jobs("DELETE", "/job").status == 200
    assert front.jobs("GET", "/job").status == 404
    assert desk.artifact("user_logs/std_log.txt") is None
    assert front.jobs("DELETE", "/job").status == 204


def test_a_job_that_runs_is_not_deleted(front: Front) -> None:
    put(front)
    reply = front.jobs("DELETE", "/job")
    assert (reply.status, front.desk.jobs.status("job")) == (400, Status.RUNNING)
    assert "cancel it" in reply.body["error"]["message"]
