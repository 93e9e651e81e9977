from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.context import azure_date
from amlocal.jobs.run_history import duration, studio_routes
from amlocal.jobs.status import Status
from tests.unit.amlocal.blobs.wire import START
from tests.unit.amlocal.jobs.routes_client import JobRoutesClient
from tests.unit.amlocal.jobs.workspace import JobWorkspace

RUNS = ["/runs/job", "/experiments/Default/runs/job", "/experimentids/Default/runs/job"]


def details(api: JobRoutesClient) -> dict[str, Any]:
    body: dict[str, Any] = api.history("GET", "/runs/job/details").body
    return body


@pytest.mark.parametrize("run", RUNS)
def test_a_run_is_reached_with_and_without_its_experiment(
    api: JobRoutesClient, workspace: JobWorkspace, run: str
) -> None:
    workspace.submit(tags={"a": "1"}, displayName="My job")
    body = api.history("GET", run).body
    assert (body["runId"], body["displayName"], body["tags"], body["status"]) == (
        "job", "My job", {"a": "1"}, "Starting"
    )  # fmt: skip
    assert len(body) > 50


def test_a_missing_run_is_not_found(api: JobRoutesClient) -> None:
    assert {api.history("GET", f"/runs/other{more}").status for more in ("", "/details", "/children")} == {404}


def test_a_stream_sees_every_status_as_it_comes(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit()
    seen = [details(api)["status"]]
    for status in (Status.PREPARING, Status.RUNNING, Status.FINALIZING, Status.COMPLETED):
        workspace.jobs.advance("job", status)
        seen.append(details(api)["status"])
    assert seen == ["Starting", "Preparing", "Running", "Finalizing", "Completed"]


@pytest.mark.parametrize("end", [Status.COMPLETED, Status.FAILED, Status.CANCELED])
def test_the_first_look_at_a_job_that_just_ended_is_finalizing(
    api: JobRoutesClient, workspace: JobWorkspace, end: Status
) -> None:
    workspace.submit_in(end)
    assert [details(api)["status"] for _ in range(3)] == ["Finalizing", end, end]


def test_a_job_that_ended_long_ago_has_ended_at_the_first_look(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.COMPLETED)
    workspace.clock.advance(seconds=30)
    assert details(api)["status"] == "Completed"


def test_the_log_is_named_from_when_the_job_has_one(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit()
    assert details(api)["logFiles"] == {}
    workspace.job_folder()
    assert list(details(api)["logFiles"]) == ["user_logs/std_log.txt"]


def test_a_failed_job_shows_its_error(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.RUNNING)
    workspace.jobs.advance("job", Status.FAILED, error={"error": {"code": "UserError", "message": "no"}})
    details(api)
    body = details(api)
    assert (body["status"], body["error"]["error"]["message"]) == ("Failed", "no")
    assert body["startTimeUtc"] <= body["endTimeUtc"]


def test_a_patch_changes_what_it_names(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit(tags={"a": "1"})
    changes = {"displayName": "New", "description": "d", "tags": {"b": "2"}, "hidden": True, "properties": {"p": "3"}}
    assert api.history("PATCH", "/experiments/Default/runs/job", changes).body["displayName"] == "New"
    kept = workspace.jobs.get("job").body["properties"]
    assert {key: kept[key] for key in ("displayName", "description", "tags", "isArchived")} == {
        "displayName": "New", "description": "d", "tags": {"b": "2"}, "isArchived": True,
    }  # fmt: skip
    assert kept["properties"]["p"] == "3"


def test_a_patch_leaves_what_it_does_not_name(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    before = workspace.submit(tags={"a": "1"}, displayName="My job", isArchived=True).body["properties"]
    api.history("PATCH", "/runs/job", {"hidden": None, "tags": None, "displayName": None})
    assert workspace.jobs.get("job").body["properties"] == before


@pytest.mark.parametrize("body", [{"tags": []}, {"hidden": "yes"}, {"displayName": 7}, {"properties": {"a": {}}}, []])
def test_a_bad_patch_is_refused(api: JobRoutesClient, workspace: JobWorkspace, body: Any) -> None:
    workspace.submit()
    assert api.history("PATCH", "/runs/job", body).status == 400


def test_children_are_the_jobs_that_name_their_parent(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit("job")
    workspace.submit("child", parentJobName="job")
    assert [run["runId"] for run in api.history("GET", "/runs/job/children").body["value"]] == ["child"]
    assert api.history("GET", "/runs/child").body["parentRunId"] == "job"


def test_a_run_has_no_services_of_its_nodes(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit()
    assert api.history("GET", "/runs/job/serviceinstances/0").body == {"instances": {}}


def resolved(api: JobRoutesClient, asset: str) -> Any:
    path = f"/data/v1.0{api.workspace.context.arm}/dataversion/batchGetResolvedUris"
    return api.ask("POST", path, {"values": [asset]})


@pytest.mark.parametrize("values", [2**31, "x", [1], [None], {"a": 1}, True])
def test_what_is_to_be_resolved_is_a_list_of_texts(api: JobRoutesClient, values: Any) -> None:
    path = f"/data/v1.0{api.workspace.context.arm}/dataversion/batchGetResolvedUris"
    assert api.ask("POST", path, {"values": values}).status == 400


def outputs(api: JobRoutesClient) -> dict[str, Any]:
    found: dict[str, Any] = api.history("POST", "/rundata", {"runId": "job"}).body["runMetadata"]["outputs"]
    return found


def test_all_outputs_of_a_job_lead_to_where_they_are(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    kinds = {"f": "uri_file", "m": "mlflow_model", "a_b": "uri_folder"}
    workspace.submit_in(Status.COMPLETED, outputs={name: {"jobOutputType": kind} for name, kind in kinds.items()})
    found = {}
    for name, output in outputs(api).items():
        answer = resolved(api, output["assetId"]).body["values"][output["assetId"]]
        assert answer["type"] == output["type"]
        found[name] = (output["type"], answer["uri"].partition("/datastores/")[2])
    assert found == {
        "f": ("uri_file", "workspaceblobstore/paths/azureml/job/f"),
        "m": ("uri_folder", "workspaceblobstore/paths/azureml/job/m/"),
        "a_b": ("uri_folder", "workspaceblobstore/paths/azureml/job/a_b/"),
        "default": ("uri_folder", "workspaceartifactstore/paths/ExperimentRun/dcid.job/"),
    }


def test_a_job_that_runs_has_no_named_outputs_yet(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.RUNNING, outputs={"y": {}})
    assert list(outputs(api)) == ["default"]


@pytest.mark.parametrize(
    "asset", ["", "azureml://x", "azureml://l/data/azureml_job_output_data_no/versions/1", "azureml://azureml_no_output_data_x/versions/1"]
)  # fmt: skip
def test_an_asset_that_no_job_has_is_not_found(api: JobRoutesClient, workspace: JobWorkspace, asset: str) -> None:
    workspace.submit_in(Status.COMPLETED)
    assert resolved(api, asset).status == 404


def test_run_data_of_nobody_is_not_found(api: JobRoutesClient) -> None:
    assert api.history("POST", "/rundata", {}).status == 404


@given(st.integers(0, 10**12))
def test_a_duration_is_written_as_net_does(microseconds: int) -> None:
    hours, rest = divmod(microseconds, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    span = {"started": azure_date(START), "ended": azure_date(START + _microseconds(microseconds))}
    assert duration(span) == f"{hours:02}:{minutes:02}:{rest // 1_000_000:02}.{rest % 1_000_000:06}0"


def _microseconds(count: int) -> Any:
    return type(START - START)(microseconds=count)


def test_a_job_that_has_not_ended_has_no_duration() -> None:
    assert duration({"started": azure_date(START), "ended": None}) is None


def test_a_jobs_link_leads_to_its_run_on_mlflows_pages(api: JobRoutesClient) -> None:
    reply = api.ask("GET", "/runs/bright_cow-1", wsid="/subscriptions/x", tid="y")
    assert reply.status == 200
    assert b'location.replace("/mlflow/#/runs/bright_cow-1")' in reply.body
    assert reply.media_type == "text/html; charset=utf-8"


def test_it_is_open_and_the_same_for_every_name(api: JobRoutesClient, workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.COMPLETED)
    assert [route.auth for route in studio_routes()] == ["open"]
    known, unknown = api.ask("GET", "/runs/job"), api.ask("GET", "/runs/xyz")
    assert known.body.replace(b"job", b"xyz") == unknown.body


def test_it_hands_out_nothing_that_opens_a_door(api: JobRoutesClient) -> None:
    reply = api.ask("GET", "/runs/job", token="x", wsid="y")
    assert b"token" not in reply.body
    assert reply.headers == {"Referrer-Policy": "no-referrer"}


@pytest.mark.parametrize("name", ["a%22b", "%3Cscript%3E", "..", "a%0D%0AX", "%C3%BC", "a" * 256])
def test_what_is_no_jobs_name_becomes_no_page(api: JobRoutesClient, name: str) -> None:
    assert api.ask("GET", f"/runs/{name}").status == 404
