from typing import Any

import pytest

from amlocal.jobs.status import Status
from tests.unit.amlocal.jobs.routes_client import JobRoutesClient
from tests.unit.amlocal.jobs.workspace import JobWorkspace, submission

BY_NAME = ["all", "of", "these"]


def put(api: JobRoutesClient, name: str = "job", **changes: Any) -> Any:
    return api.jobs("PUT", f"/{name}", {"properties": submission(**changes)})


def names(api: JobRoutesClient, **query: str) -> list[str]:
    return [item["name"] for item in api.jobs("GET", **query).body["value"]]


def test_a_new_job_is_answered_as_azure_does(api: JobRoutesClient) -> None:
    reply = put(api)
    assert (reply.status, reply.body["properties"]["status"]) == (201, "Starting")
    assert reply.headers["Location"] == f"https://127.0.0.1:8443{api.workspace.context.arm}/jobs/job"
    assert (reply.body["id"], reply.body["name"]) == (f"{api.workspace.context.arm}/jobs/job", "job")
    assert reply.body["systemData"].keys() == {"createdAt", "createdBy", "createdByType"}


def test_a_job_runs_once_however_often_it_is_put(api: JobRoutesClient) -> None:
    assert [put(api).status for _ in range(3)] == [201, 200, 200]
    assert api.runs.started == ["job"]


def test_another_job_under_the_same_name_is_a_conflict(api: JobRoutesClient) -> None:
    put(api)
    reply = put(api, command="false")
    assert (reply.status, api.runs.started) == (409, ["job"])
    assert "command" in reply.body["error"]["message"]


@pytest.mark.parametrize("name", ["a%20b", "a.b", "..", "%C3%BC", "a%2Fb", "a%00", "a%0Ab"])
def test_an_odd_name_is_refused_and_nothing_is_kept(api: JobRoutesClient, name: str) -> None:
    assert put(api, name).status == 400
    assert (api.workspace.jobs.listed().all(), api.runs.started) == ([], [])


@pytest.mark.parametrize("body", [{}, {"properties": None}, {"properties": []}, {"properties": "x"}])
def test_a_body_without_properties_is_refused(api: JobRoutesClient, body: Any) -> None:
    assert api.jobs("PUT", "/job", body).status == 400


def test_a_job_can_be_asked_for(api: JobRoutesClient) -> None:
    put(api)
    assert api.jobs("GET", "/job").body["properties"]["status"] == "Running"
    assert api.jobs("GET", "/other").status == 404


def test_a_full_compute_queues(api: JobRoutesClient) -> None:
    for name in ("first", "second"):
        put(api, name, computeId="azureml:one")
    statuses = [api.jobs("GET", f"/{name}").body["properties"]["status"] for name in ("first", "second")]
    assert statuses == ["Running", "Queued"]


def test_jobs_are_listed_newest_first_without_the_archived(api: JobRoutesClient) -> None:
    for name in BY_NAME:
        put(api, name, isArchived=name == "of")
    assert names(api) == ["these", "all"]
    assert names(api, listViewType="ArchivedOnly") == ["of"]
    assert names(api, listViewType="All") == ["these", "of", "all"]


def test_jobs_are_listed_by_tag_and_type(api: JobRoutesClient) -> None:
    put(api, "a", tags={"team": "care"})
    put(api, "b", tags={"team": "cure"})
    put(api, "c")
    assert names(api, tag="team") == ["b", "a"]
    assert names(api, tag="team=care") == ["a"]
    assert names(api, jobType="Command") == ["c", "b", "a"]
    assert names(api, jobType="Pipeline") == []


def test_a_cancel_is_an_operation_that_ends_with_the_job(api: JobRoutesClient) -> None:
    put(api)
    reply = api.jobs("POST", "/job/cancel")
    assert (reply.status, reply.body) == (202, b"null")
    assert int(reply.headers["x-ms-retry-after-ms"]) <= 1000
    poll = reply.headers["Location"].removeprefix("https://127.0.0.1:8443").partition("?")[0]
    assert api.ask("GET", poll).status == 200
    assert api.jobs("GET", "/job").body["properties"]["status"] == "Canceled"


def test_a_cancel_that_is_under_way_is_polled_again(api: JobRoutesClient) -> None:
    api.workspace.submit_in(Status.CANCEL_REQUESTED)
    poll = api.jobs("POST", "/job/cancel").headers["Location"].removeprefix("https://127.0.0.1:8443")
    reply = api.ask("GET", poll.partition("?")[0])
    assert (reply.status, reply.body) == (202, {})
    assert "Location" in reply.headers


def test_a_cancel_of_a_missing_job_is_not_found(api: JobRoutesClient) -> None:
    assert api.jobs("POST", "/other/cancel").status == 404


def test_a_job_that_ended_is_deleted_with_what_it_left(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.COMPLETED)
    workspace.blobs.put_bytes("azureml", "ExperimentRun/dcid.job/user_logs/std_log.txt", b"old")
    assert api.jobs("DELETE", "/job").status == 200
    assert api.jobs("GET", "/job").status == 404
    assert workspace.artifact("user_logs/std_log.txt") is None
    assert api.jobs("DELETE", "/job").status == 204


def test_a_job_that_runs_is_not_deleted(api: JobRoutesClient) -> None:
    put(api)
    reply = api.jobs("DELETE", "/job")
    assert (reply.status, api.workspace.jobs.status("job")) == (400, Status.RUNNING)
    assert "cancel it" in reply.body["error"]["message"]
