"""What a job's token opens of MLflow's API: calls are looked at, written anew, and passed on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import ApiError, Forbidden
from amlocal.core.http import Call, Reply
from amlocal.tracking.job_access import JobAccess

RUN_CALLS = ["update", "set-tag", "delete-tag", "log-batch", "log-metric", "log-parameter", "log-inputs", "delete"]


async def nothing() -> AsyncIterator[bytes]:
    """Stand in for the stream of a body that was read."""
    for piece in list[bytes]():
        yield piece


class Mlflow:
    """Stands in for MLflow: gives new runs numbers, and keeps what reached it."""

    def __init__(self, *, lenient: bool = False) -> None:
        self.seen: list[Call] = []
        self.answer: dict[str, Any] | None = None
        self.access = JobAccess(self.forward, self.find_run, lenient=lenient)

    async def forward(self, call: Call) -> Reply:
        self.seen.append(call)
        new = f"new{len(self.seen)}"
        made = {"run": {"info": {"run_id": new}}, "model": {"info": {"model_id": new}}}
        return Reply(200, json.dumps(self.answer or made).encode())

    async def find_run(self, run: str) -> dict[str, Any]:
        return {"run_id": run, "experiment_id": "7", "artifact_uri": ""}

    def ask(self, method: str, api: str, body: Any = None, *, job: str = "mine", query: str = "") -> Reply:
        target = f"/mlflow/api/2.0/mlflow/{api}" + (f"?{query}" if query else "")
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        call = Call(method, target, target, {"rest": f"2.0/mlflow/{api}"}, {}, {}, nothing, content)
        return asyncio.run(self.answer_to(call, job))

    async def answer_to(self, call: Call, job: str) -> Reply:
        return await self.access.api(call, job)


def refused(mlflow: Mlflow, *asked: Any, **options: Any) -> None:
    with pytest.raises(Forbidden, match="does not have authorization") as caught:
        mlflow.ask(*asked, **options)
    assert caught.value.status == 403
    assert not mlflow.seen


@pytest.mark.parametrize("action", RUN_CALLS)
def test_a_job_logs_to_its_own_run_and_no_other(action: str) -> None:
    assert Mlflow().ask("POST", f"runs/{action}", {"run_id": "mine", "key": "k"}).status == 200
    for body in ({"run_id": "other"}, {"run_uuid": "other"}, {"runId": "other"}, {}, {"run_id": ["mine", "x"]}):
        refused(Mlflow(), "POST", f"runs/{action}", body)
    refused(Mlflow(), "POST", f"runs/{action}", {"run_id": "mine", "runUuid": "other"})


@pytest.mark.parametrize("path", ["runs/get", "metrics/get-history"])
def test_a_job_reads_its_own_run_and_no_other(path: str) -> None:
    assert Mlflow().ask("GET", path, query="run_id=mine").status == 200
    for query in ("run_id=other", "run_uuid=other", "run_id=mine&run_id=other", "run_id=other&run_id=mine", ""):
        refused(Mlflow(), "GET", path, query=query)


def test_what_was_looked_at_is_what_is_passed_on() -> None:
    mlflow = Mlflow()
    mlflow.ask("GET", "runs/get", {"run_id": "other"}, query="run_id=mine")
    mlflow.ask("POST", "runs/update", b'{"run_id": "other", "run_id": "mine"}', query="run_id=other")
    get, post = mlflow.seen
    assert (get.content, parse_qs(get.target.partition("?")[2])) == (b"", {"run_id": ["mine"]})
    assert (json.loads(post.content), post.target.partition("?")[2]) == ({"run_id": "mine"}, "")


@given(st.sampled_from(["mine", "other"]), st.sampled_from(["run_id", "run_uuid", "runId", "RunUUID", "run__id"]))
def test_a_name_in_any_spelling_counts(run: str, key: str) -> None:
    mlflow = Mlflow()
    if run == "mine":
        assert mlflow.ask("POST", "runs/set-tag", {key: run}).status == 200
    else:
        refused(mlflow, "POST", "runs/set-tag", {key: run})


def test_a_run_that_a_job_made_is_its_own_and_no_other_jobs() -> None:
    mlflow = Mlflow()
    tags = [{"key": "mlflow.parentRunId", "value": "mine"}]
    made = json.loads(mlflow.ask("POST", "runs/create", {"experiment_id": "7", "tags": tags}).body)["run"]["info"]  # type: ignore[arg-type]
    assert mlflow.ask("POST", "runs/log-metric", {"run_id": made["run_id"]}).status == 200
    with pytest.raises(Forbidden):
        mlflow.ask("POST", "runs/log-metric", {"run_id": made["run_id"]}, job="other")


@pytest.mark.parametrize(
    "body",
    [
        {"experiment_id": "8"},
        {},
        {"experiment_id": "7", "experimentId": "8"},
        {"experiment_id": "7", "tags": [{"key": "mlflow.parentRunId", "value": "other"}]},
    ],
)
def test_a_run_in_another_experiment_or_under_another_run_is_refused(body: dict[str, Any]) -> None:
    refused(Mlflow(), "POST", "runs/create", body)


@pytest.mark.parametrize("tags", [5, True, "x", {"key": "mlflow.parentRunId"}, [None, 1]])
def test_tags_that_are_none_are_left_to_mlflow_to_refuse(tags: Any) -> None:
    mlflow = Mlflow()
    mlflow.ask("POST", "runs/create", {"experiment_id": "7", "tags": tags})
    assert len(mlflow.seen) == 1


def test_a_search_finds_what_is_the_jobs_own() -> None:
    mlflow = Mlflow()
    mlflow.answer = {"runs": [{"info": {"run_id": run}} for run in ("other", "mine", "another")]}
    assert mlflow.ask("POST", "runs/search", {"experiment_ids": ["7"]}).body == {"runs": [{"info": {"run_id": "mine"}}]}
    refused(Mlflow(), "POST", "runs/search", {"experiment_ids": ["7", "8"]})
    refused(Mlflow(), "POST", "runs/search", {})


@pytest.mark.parametrize("path", ["create", "delete", "update", "search", "restore", "set-experiment-tag"])
def test_experiments_are_not_a_jobs_to_change(path: str) -> None:
    refused(Mlflow(), "POST", f"experiments/{path}", {"experiment_id": "7", "name": "x"})


def test_a_job_sees_the_experiment_that_it_is_in() -> None:
    assert Mlflow().ask("GET", "experiments/get", query="experiment_id=7").status == 200
    refused(Mlflow(), "GET", "experiments/get", query="experiment_id=8")
    mlflow = Mlflow()
    mlflow.answer = {"experiment": {"experiment_id": "7"}}
    assert mlflow.ask("GET", "experiments/get-by-name", query="experiment_name=own").status == 200
    mlflow.answer = {"experiment": {"experiment_id": "8"}}
    with pytest.raises(Forbidden):
        mlflow.ask("GET", "experiments/get-by-name", query="experiment_name=other")


def test_what_azure_lacks_is_refused_in_its_words_and_the_registry_in_ours() -> None:
    mlflow = Mlflow()
    assert mlflow.ask("POST", "logged-models", {"experiment_id": "7"}).status == 404
    assert mlflow.ask("POST", "registered-models/create", {"name": "x"}).status == 501
    assert not mlflow.seen


def test_lenient_models_are_the_jobs_own_as_well() -> None:
    mlflow = Mlflow(lenient=True)
    made = mlflow.ask("POST", "logged-models", {"experiment_id": "7", "source_run_id": "mine"})
    model = json.loads(made.body)["model"]["info"]["model_id"]  # type: ignore[arg-type]
    assert mlflow.ask("PATCH", f"logged-models/{model}", {"status": "READY"}).status == 200
    for method, path, body in (
        ("PATCH", "logged-models/m-other", {}),
        ("POST", "logged-models", {"experiment_id": "8"}),
        ("POST", "logged-models", {"experiment_id": "7", "source_run_id": "other"}),
        ("POST", "runs/outputs", {"run_id": "other"}),
    ):
        refused(Mlflow(lenient=True), method, path, body)


@pytest.mark.parametrize("content", [b"[]", b"{", b"7", b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_bad_request(content: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        Mlflow().ask("POST", "runs/update", content)
    assert caught.value.status == 400
