"""Azure's limits of jobs, of their runs, and of the tags of Azure's own resources, over HTTP in process."""

from collections.abc import Callable
from typing import Any

import pytest

from amlocal.jobs.runner import JobQueue
from tests.unit.amlocal.asgi import Answer, Workspace

COMMAND = {"jobType": "Command", "command": "true", "environmentId": "azureml:AzureML-sklearn:1"}
BLOB = {"jobInputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/x"}

# what a job may hold of a size, the largest that passes, the field that is named
SIZES: dict[str, tuple[Callable[[int], dict[str, Any]], int, str]] = {
    "tags": (lambda n: {"tags": {f"t{i}": "x" for i in range(n)}}, 50, "RunDto.Tags/Count"),
    "properties": (lambda n: {"properties": {f"t{i}": "x" for i in range(n)}}, 50, "RunDto.Properties/Count"),
    "a tag's name": (lambda n: {"tags": {"x" * n: "v"}}, 100, "RunDto.Tags.Key/Length"),
    "a tag's value": (lambda n: {"tags": {"k": "x" * n}}, 1000, "RunDto.Tags.Value/Length"),
    "a property's value": (lambda n: {"properties": {"k": "x" * n}}, 1000, "RunDto.Properties.Value/Length"),
    "display name": (lambda n: {"displayName": "x" * n}, 256, "RunDto.DisplayName/Length"),
    "description": (lambda n: {"description": "x" * n}, 5000, "RunDto.Description/Length"),
    "inputs": (lambda n: {"inputs": {f"i{i}": BLOB for i in range(n)}}, 200, "RunDto.InputDatasets/Count"),
    "outputs": (
        lambda n: {"outputs": {f"o{i}": {"jobOutputType": "uri_folder"} for i in range(n)}},
        20,
        "RunDto.OutputDatasets/Count",
    ),
}


@pytest.fixture(autouse=True)
def no_job_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobQueue, "submit", lambda *_: None)


def over(answer: Answer, field: str, limit: int) -> bool:
    assert (answer.status, answer.error["code"]) == (400, "ValidationError"), answer.body
    return f"FieldName={field}, Limit={limit}, Size={limit + 1}." in answer.error["message"]


@pytest.mark.parametrize("case", SIZES)
def test_a_job_of_the_limit_passes_and_one_more_is_refused(shared_workspace: Workspace, case: str) -> None:
    properties, limit, field = SIZES[case]
    path = f"jobs/{shared_workspace.fresh()}"
    assert over(shared_workspace.put(path, COMMAND | properties(limit + 1)), field, limit)
    assert shared_workspace.get(path).status == 404  # nothing is kept of what was refused
    assert shared_workspace.put(path, COMMAND | properties(limit)).status == 201


NAMES = ["x" * 257, "-a", "_a", "a b", "a/b", "a.b", "projet é", "feature:1", "a\n"]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_an_experiment_is_one_that_run_history_takes(shared_workspace: Workspace, name: str) -> None:
    answer = shared_workspace.put(f"jobs/{shared_workspace.fresh()}", COMMAND | {"experimentName": name})
    assert (answer.status, "Experiment name must be 1-256 characters, start" in answer.error["message"]) == (400, True)


@pytest.mark.parametrize("name", ["x" * 256, "a", "1", "diabetes-1_2", ""])
def test_any_other_name_of_an_experiment_is_taken(shared_workspace: Workspace, name: str) -> None:
    path = f"jobs/{shared_workspace.fresh()}"
    assert shared_workspace.put(path, COMMAND | {"experimentName": name}).status == 201


def test_values_that_are_no_data_do_not_count_as_inputs(shared_workspace: Workspace) -> None:
    inputs = {f"i{i}": {"jobInputType": "literal", "value": "1"} for i in range(250)}
    assert shared_workspace.put(f"jobs/{shared_workspace.fresh()}", COMMAND | {"inputs": inputs}).status == 201


@pytest.mark.parametrize("case", ["tags", "a tag's value", "display name", "description"])
def test_a_change_of_a_run_is_looked_at_too(shared_workspace: Workspace, case: str) -> None:
    name = shared_workspace.fresh()
    shared_workspace.put(f"jobs/{name}", COMMAND)
    properties, limit, field = SIZES[case]
    run = f"/history/v1.0{shared_workspace.arm}/runs/{name}"
    assert over(shared_workspace.ask("PATCH", run, properties(limit + 1)), field, limit)
    assert shared_workspace.ask("PATCH", run, properties(limit)).status == 200


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({f"t{i}": "x" for i in range(51)}, "exceeds the limit of 50: there are 51"),
        ({"k": "x" * 257}, "Maximum allowed length for tag value - '256' characters"),
        ({"x" * 513: "v"}, "1 to 512 characters"),
        *(({f"a{sign}b": "v"}, "The tag name") for sign in "<>%&\\?/\n"),
    ],
)
@pytest.mark.parametrize("path", ["onlineEndpoints/scored", "batchEndpoints/scored", "computes/nodes"])
def test_tags_that_azure_resource_manager_refuses_are_refused(
    workspace: Workspace, path: str, tags: dict[str, str], text: str
) -> None:
    properties: dict[str, Any] = {"computeType": "AmlCompute", "authMode": "Key"} if "batch" not in path else {}
    properties |= {"properties": {"vmSize": "STANDARD_DS3_V2"}} if "computes" in path else {}
    answer = workspace.put(path, properties, tags=tags)
    assert (answer.status, text in answer.error["message"]) == (400, True), answer.body
    assert workspace.get(path).status == 404
    largest = {"x" * 512: "v", "k": "x" * 256} | {f"t{i}": "x" for i in range(48)}
    assert workspace.put(path, properties, tags=largest).status == 201
