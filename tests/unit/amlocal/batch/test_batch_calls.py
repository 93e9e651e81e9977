import json
from typing import Any

import pytest

from amlocal.batch.deployments import accept_settings
from amlocal.batch.invocation import read_invocation
from amlocal.batch_scoring.batch_job import SETTINGS_VARIABLE
from amlocal.core.context import Identity
from amlocal.core.errors import ApiError, BadRequest, Conflict, NotFound
from amlocal.jobs.status import Status
from amlocal.jobs.store import step_of
from tests.unit.amlocal.batch.conftest import Batch, call

PLACE = "azureml://datastores/workspaceblobstore/paths"


def step(batch: Batch, job: str) -> Any:
    name = step_of(batch.stores.jobs.get(job))
    assert name is not None
    return batch.stores.jobs.get(name)


def driver_settings(batch: Batch, job: str) -> dict[str, Any]:
    """Return the settings of the driver of a call's job."""
    found: dict[str, Any] = json.loads(step(batch, job).body["properties"]["environmentVariables"][SETTINGS_VARIABLE])
    return found


def test_a_call_becomes_a_pipeline_job_and_queues_the_step_in_it(batch: Batch) -> None:
    job = batch.ready().invoker.invoke("scores", None, None, call()).name
    properties = batch.stores.jobs.get(job).body["properties"]
    assert (properties["jobType"], properties["tags"]["azureml.batchrun"]) == ("Pipeline", "true")
    assert batch.queued == [step(batch, job).name]
    assert step(batch, job).body["properties"]["parentJobName"] == job


def test_a_request_sent_again_is_the_same_call(batch: Batch) -> None:
    first = batch.ready().invoker.invoke("scores", None, "r-1", call())
    again = batch.invoker.invoke("scores", None, "r-1", call())
    assert (again.name, len(batch.queued)) == (first.name, 1)


def test_two_requests_are_two_calls(batch: Batch) -> None:
    jobs = {batch.ready().invoker.invoke("scores", None, request, call()).name for request in ("r-1", "r-2", None)}
    assert len(jobs) == 3


def test_an_endpoint_without_a_default_says_what_to_do(batch: Batch) -> None:
    batch.ready().store.put_endpoint("scores", {})
    with pytest.raises(BadRequest, match="has no default"):
        batch.invoker.invoke("scores", None, None, call())


@pytest.mark.parametrize(("endpoint", "deployment"), [("nowhere", None), ("scores", "other")])
def test_what_is_not_there_cannot_be_called(batch: Batch, endpoint: str, deployment: str | None) -> None:
    with pytest.raises(ApiError) as caught:
        batch.ready().invoker.invoke(endpoint, deployment, None, call())
    assert caught.value.status == 404


def test_a_model_that_was_deleted_since_fails_the_call_and_leaves_no_job(batch: Batch) -> None:
    batch.ready().stores.models.delete("m", "1")
    with pytest.raises(NotFound):
        batch.invoker.invoke("scores", None, None, call())
    assert batch.stores.jobs.listed().all() == []


def test_a_name_is_used_once(batch: Batch) -> None:
    batch.ready().invoker.invoke("scores", None, None, call(name="mine"))
    with pytest.raises(Conflict, match="Job mine already exists"):
        batch.invoker.invoke("scores", None, None, call(name="mine"))


def test_what_a_call_overrides_reaches_the_driver(batch: Batch) -> None:
    sent = call(
        miniBatchSize=3,
        errorThreshold=4,
        retrySettings={"maxRetries": 5, "timeout": "PT1M"},
        outputFileName="mine.csv",
        compute={"instanceCount": 2},
    )
    job = batch.ready().invoker.invoke("scores", None, None, sent).name
    assert driver_settings(batch, job) == {
        "mini_batch_size": 3,
        "workers": 2,
        "max_retries": 5,
        "timeout_s": 60.0,
        "error_threshold": 4,
        "logging_level": "info",
        "output_file": "mine.csv",
        "script": None,
    }


def test_workers_are_instances_times_concurrency(batch: Batch) -> None:
    batch.ready().deploy(name="wide", maxConcurrencyPerInstance=3, resources={"instanceCount": 2})
    assert driver_settings(batch, batch.invoker.invoke("scores", "wide", None, call()).name)["workers"] == 6


def test_summary_only_keeps_no_rows(batch: Batch) -> None:
    batch.ready().deploy(name="quiet", outputAction="summaryOnly")
    assert driver_settings(batch, batch.invoker.invoke("scores", "quiet", None, call()).name)["output_file"] is None


@pytest.mark.parametrize(
    ("output", "uri", "file"),
    [
        ({"jobOutputType": "UriFile", "uri": f"{PLACE}/a/b.csv"}, f"{PLACE}/a", "b.csv"),
        ({"jobOutputType": "UriFile", "uri": f"{PLACE}/a//b.csv"}, f"{PLACE}/a", "b.csv"),
        ({"jobOutputType": "UriFile"}, None, "predictions.csv"),
    ],
)
def test_the_output_goes_where_the_call_says(batch: Batch, output: dict[str, str], uri: str | None, file: str) -> None:
    job = batch.ready().invoker.invoke("scores", None, None, call(outputData={"score": output})).name
    assert step(batch, job).body["properties"]["outputs"]["score"]["uri"] == uri
    assert driver_settings(batch, job)["output_file"] == file


def validation_errors(batch: Batch, sent: dict[str, Any]) -> Any:
    with pytest.raises(BadRequest) as refused:
        batch.ready().invoker.invoke("scores", None, None, sent)
    head, _, errors = refused.value.message.partition("Errors:\n")
    assert head == "The Job request provided has the following validation errors. Please resolve them and try again.\n"
    return json.loads(errors)


@pytest.mark.parametrize("kind", ["uri_folder", "UriFolder"])
def test_a_folder_for_the_output_is_refused_in_azures_words(batch: Batch, kind: str) -> None:
    sent = call(outputData={"score": {"jobOutputType": kind, "uri": f"{PLACE}/a/b/"}})
    assert validation_errors(batch, sent) == [
        {
            "PropertyName": "OutputData.Values[0].JobOutputType",
            "ErrorMessage": "Job output type must be 'uri_file'.",
            "AttemptedValue": "uri_folder",
            "ErrorCode": "PredicateValidator",
        }
    ]


@pytest.mark.parametrize("kind", ["Literal", "MLTable", "MLFlowModel", "CustomModel"])
def test_an_input_that_is_no_file_or_folder_is_refused_in_azures_words(batch: Batch, kind: str) -> None:
    given = {"jobInputType": kind, "value": "append"}
    assert validation_errors(batch, {"inputData": {"mode": given}}) == [
        {
            "PropertyName": "InputData.Values[0]",
            "ErrorMessage": f"The specified job input type '{kind}JobInput' is not supported. The supported types are: "
            "UriFileJobInput, UriFolderJobInput.",
            "AttemptedValue": given,
            "ErrorCode": "PredicateValidator",
        }
    ]


def test_a_folder_for_the_output_is_taken_by_a_lenient_workspace() -> None:
    sent = call(outputData={"score": {"jobOutputType": "uri_folder", "uri": f"{PLACE}/a/b/"}})
    read = read_invocation(Identity("s", "g", "w", "guid"), sent, accept_settings({}), lenient=True)
    assert (read.output_uri, read.settings["outputFileName"]) == (f"{PLACE}/a/b", "predictions.csv")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"inputData": {}}, "exactly one inputData"),
        ({"inputData": {"a": {}, "b": {}}}, "exactly one inputData"),
        ({"inputData": {"a": {}}}, "The supported types are: UriFileJobInput, UriFolderJobInput"),
        ({"inputData": {"a": {"jobInputType": "UriFile"}}}, "has no uri"),
        (call(outputData={"s": {"jobOutputType": "uri_file", "uri": "https://elsewhere/x"}}), "must be azureml://data"),
        (call(outputData={"s": {"jobOutputType": "UriFile", "uri": f"{PLACE}/top.csv"}}), "in a folder"),
        (call(outputData={"s": {"jobOutputType": "UriFile", "uri": f"{PLACE}/../up"}}), "in a folder"),
        *(
            (call(outputData={"s": {"jobOutputType": kind, "uri": f"{PLACE}/a"}}), "Job output type must be 'uri_file'")
            for kind in ("uri_folder", "UriFolder", "mltable", "mlflow_model", "custom_model", "", None)
        ),
        (call(miniBatchSize="many"), "must be a whole number"),
        (call(name="a name"), "job name 'a name' is not valid"),
    ],
)
def test_a_call_that_cannot_run_is_refused_and_leaves_no_job(batch: Batch, sent: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        batch.ready().invoker.invoke("scores", None, None, sent)
    assert (batch.stores.jobs.listed().all(), batch.queued) == ([], [])


@pytest.mark.parametrize("path", ["a/b", "/a/b/"])
def test_an_output_given_as_a_datastore_s_id_is_a_folder_in_it(batch: Batch, path: str) -> None:
    datastore = f"{batch.context.arm}/datastores/workspaceblobstore"
    older = {"datastoreId": datastore, "path": path}
    job = batch.ready().invoker.invoke("scores", None, None, call(outputDataset=older)).name
    assert step(batch, job).body["properties"]["outputs"]["score"]["uri"] == f"{PLACE}/a/b"


def test_predictions_that_are_there_are_not_overwritten(batch: Batch) -> None:
    file = batch.scratch / "old.csv"
    file.write_text("0,1,rows.csv\n")
    container = batch.stores.datastores.container_of("workspaceblobstore")
    batch.stores.blobs.put_file(container, "a/b.csv", file)
    there = call(outputData={"score": {"jobOutputType": "UriFile", "uri": f"{PLACE}/a/b.csv"}})
    with pytest.raises(BadRequest, match="Output already exists"):
        batch.ready().invoker.invoke("scores", None, None, there)
    batch.deploy(name="quiet", outputAction="SummaryOnly")
    assert batch.invoker.invoke("scores", "quiet", None, there)


def test_an_output_in_a_datastore_that_is_not_here_is_refused(batch: Batch) -> None:
    elsewhere = {"jobOutputType": "UriFile", "uri": "azureml://datastores/elsewhere/paths/a/b.csv"}
    with pytest.raises(NotFound, match="elsewhere"):
        batch.ready().invoker.invoke("scores", None, None, call(outputData={"score": elsewhere}))
    assert batch.stores.jobs.listed().all() == []


def test_a_request_whose_job_is_gone_says_so(batch: Batch) -> None:
    job = batch.ready().invoker.invoke("scores", None, "r-1", call()).name
    batch.context.documents.delete("batchCall", job)
    with pytest.raises(BadRequest, match=f"The job {job} of this request is gone"):
        batch.invoker.invoke("scores", None, "r-1", call())


@pytest.mark.parametrize(("sent", "shown"), [({}, None), ({"compute": {"instanceCount": 3}}, 3)])
def test_a_call_shows_the_instances_that_it_asked_for(batch: Batch, sent: dict[str, Any], shown: int | None) -> None:
    assert batch.ready().invoker.invoke("scores", None, None, call(**sent)).body["instances"] == shown


def test_calls_are_listed_by_endpoint_and_by_deployment(batch: Batch) -> None:
    batch.ready().deploy(name="other")
    one = batch.invoker.invoke("scores", None, None, call()).name
    two = batch.invoker.invoke("scores", "other", None, call()).name
    assert [call[0].name for _, call in batch.invoker.calls("scores").read() if call] == [two, one]
    assert [call[0].name for _, call in batch.invoker.calls("scores", "other").read() if call] == [two]


@pytest.mark.parametrize("end", [Status.COMPLETED, Status.FAILED, Status.CANCELED])
def test_a_pipeline_goes_where_its_step_goes(batch: Batch, end: Status) -> None:
    job = batch.ready().invoker.invoke("scores", None, None, call()).name
    error = {"error": {"code": "UserError", "message": "why"}}
    for status in (Status.PREPARING, Status.RUNNING, Status.FINALIZING):
        batch.stores.jobs.advance(batch.queued[0], status)
        assert batch.stores.jobs.status(job) == status
    batch.stores.jobs.advance(batch.queued[0], end, error=error if end == Status.FAILED else None)
    document = batch.stores.jobs.get(job)
    assert document.body["status"] == end
    assert document.body["error"] == (error if end == Status.FAILED else None)


def test_canceling_a_pipeline_cancels_its_step(batch: Batch) -> None:
    job = batch.ready().invoker.invoke("scores", None, None, call()).name
    batch.stores.jobs.advance(job, Status.CANCEL_REQUESTED)
    assert batch.canceled == batch.queued
    batch.stores.jobs.advance(batch.queued[0], Status.CANCELED)
    assert batch.stores.jobs.status(job) == Status.CANCELED


def test_a_pipeline_whose_step_was_quicker_than_the_cancel_still_ends(batch: Batch) -> None:
    job = batch.ready().invoker.invoke("scores", None, None, call()).name
    for status in (Status.PREPARING, Status.RUNNING, Status.FINALIZING):
        batch.stores.jobs.advance(batch.queued[0], status)
    batch.stores.jobs.advance(job, Status.CANCEL_REQUESTED)
    batch.stores.jobs.advance(batch.queued[0], Status.COMPLETED)
    assert batch.stores.jobs.status(job) == Status.CANCELED


def test_a_deployment_s_own_environment_wins_over_the_model_s(batch: Batch) -> None:
    batch.stores.environments.put("own", "1", {"image": "any"})
    batch.ready().deploy(name="own", environmentId="azureml:own:1")
    job = batch.invoker.invoke("scores", "own", None, call()).name
    assert step(batch, job).body["properties"]["environmentId"] == "azureml:own:1"
