"""A 501 names what the person asked for, never a collection that a client uses on the way."""

import pytest

from amlocal.core.unserved import FEATURES, unserved, unserved_job
from tests.unit.amlocal.asgi import ORIGIN, Workspace

REGISTRY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/registries/mine"


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("PUT", "{arm}/components/azureml_anonymous/versions/1b2c", "Pipeline jobs are"),
        ("GET", "{arm}/components/azureml_anonymous/versions", "Pipeline jobs are"),
        ("PUT", "{arm}/components/train/versions/1", "Components are"),
        ("GET", "{arm}/components", "Components are"),
        ("PUT", "{arm}/schedules/nightly", "Schedules are"),
        ("GET", "{arm}/featuresets/f/versions", "Feature stores are"),
        ("GET", "{arm}/connections", "Connections are"),
        ("PUT", "{arm}/serverlessEndpoints/e", "Serverless endpoints are"),
        ("POST", "{arm}/models/m/versions/1/package", "Model packages are"),
        ("POST", "{arm}/listKeys", "Keys of the workspace are"),
        ("PATCH", "{arm}", "Changes of a workspace are"),
        ("DELETE", "{arm}", "Changes of a workspace are"),
        ("GET", f"{REGISTRY}/models/m/versions", "Registries are not served by amlocal yet: 'mine'"),
        (
            "GET",
            "/registrymanagement/v1.0/registries/mine/discovery",
            "Registries are not served by amlocal yet: 'mine'",
        ),
        ("GET", "/subscriptions/s/providers/Microsoft.MachineLearningServices/registries", "Registries are"),
        ("PUT", "/subscriptions/s/resourcegroups/g/providers/Microsoft.Resources/deployments/d", "New workspaces are"),
        (
            "GET",
            "/subscriptions/s/resourcegroups/g",
            "Resource groups and new workspaces are",
        ),  # asked before a deployment
    ],
)
def test_a_path_says_what_was_asked_for(workspace: Workspace, method: str, path: str, text: str) -> None:
    answer = workspace.ask(method, path.format(arm=workspace.arm), {})
    assert (answer.status, answer.error["code"]) == (501, "NotImplemented")
    message = answer.error["message"]
    assert message.startswith(text)
    assert not any(word in message for word in (method, "azureml_anonymous", "/subscriptions", "api-version"))


def test_what_says_nothing_is_answered_with_method_and_path(workspace: Workspace) -> None:
    message = workspace.ask("GET", f"{ORIGIN}/what/is/this").error["message"]
    assert "GET /what/is/this" in message


@pytest.mark.parametrize(
    ("kind", "text"),
    [("Pipeline", "Pipeline jobs"), ("Sweep", "Sweep jobs"), ("AutoML", "AutoML jobs"), ("Spark", "Spark jobs")],
)
def test_a_job_of_another_kind_is_named_before_all_that_is_wrong_with_it(
    workspace: Workspace, kind: str, text: str
) -> None:
    answer = workspace.put("jobs/j", {"jobType": kind, "computeId": "azureml:no-such-compute"})
    assert (answer.status, answer.error["message"].startswith(f"{text} are not served by amlocal yet")) == (501, True)


def test_an_unknown_kind_of_job_is_named_as_it_is() -> None:
    assert "Jobs of type None are not served" in unserved_job({"jobType": "None"}).message


def test_an_import_of_data_is_not_called_the_pipeline_that_it_is_sent_as() -> None:
    sent = {"jobType": "Pipeline", "properties": {"azureml.materializationAssetName": "sales"}}
    assert unserved_job(sent).message.startswith("Data imports are not served by amlocal yet")


def test_every_name_is_a_plural_that_begins_a_sentence() -> None:
    assert all(name[0].isupper() for name in FEATURES)
    assert unserved("GET", "/subscriptions/s") is None
