from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.assets.models import model_kind
from amlocal.core.context import Identity
from amlocal.core.errors import NotFound
from tests.unit.amlocal.asgi import Answer, Workspace
from tests.unit.amlocal.assets.kinds import MODELS

IDENTITY = Identity("sub", "group", "ws", "guid")
SEGMENTS = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=9)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join).filter(lambda path: not path.startswith("paths/"))


def put(workspace: Workspace, uri: Any, kind: Any = "custom_model", **more: Any) -> Answer:
    return workspace.put("models/n/versions/1", {"modelUri": uri, "modelType": kind, **more})


def resolve(job: str, output: str, path: str) -> tuple[str, str]:
    """Find everything in any job's output, as if it were there."""
    return "workspaceartifactstore", f"ExperimentRun/dcid.{job}/{output}/{path}".rstrip("/")


def accept(uri: str) -> dict[str, Any]:
    return model_kind(IDENTITY, resolve).accept({"modelUri": uri, "modelType": "mlflow_model"})


@given(PATHS)
def test_every_form_of_a_datastore_uri_is_kept_as_one(path: str) -> None:
    path = path.strip("/")
    forms = [
        f"azureml://datastores/d/paths/{path}",
        f"azureml://datastores/d/paths/{path}/",
        IDENTITY.datastore_uri("d", path),
        IDENTITY.datastore_uri("d", path, group="resourceGroups"),
    ]
    kept = {accept(form)["modelUri"] for form in forms}
    assert kept == {IDENTITY.datastore_uri("d", path, group="resourceGroups")}


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://jobs/j/outputs/artifacts/paths/model",
        "azureml://jobs/j/outputs/artifacts/paths/model/",
        "azureml://jobs/j/outputs/artifacts/model",
        "runs:/j/model",
    ],
)
def test_what_a_job_left_becomes_a_place_in_the_artifact_store_and_names_the_job(uri: str) -> None:
    accepted = accept(uri)
    place = IDENTITY.datastore_uri(*resolve("j", "artifacts", "model"), group="resourceGroups")
    assert (accepted["modelUri"], accepted["jobName"]) == (place, "j")


def test_a_job_that_does_not_exist_registers_nothing(workspace: Workspace) -> None:
    answer = put(workspace, "azureml://jobs/missing/outputs/artifacts/paths/model", "mlflow_model")
    assert (answer.status, "missing" in answer.error["message"]) == (404, True)
    assert MODELS.container(workspace).status == 404


def test_an_output_that_is_not_there_is_refused() -> None:
    def nothing(job: str, output: str, path: str) -> tuple[str, str]:
        raise NotFound(f"There is nothing at {path}.")

    with pytest.raises(NotFound):
        model_kind(IDENTITY, nothing).accept({"modelUri": "runs:/j/model"})


def test_a_model_from_elsewhere_is_kept_as_it_is(workspace: Workspace) -> None:
    kept = put(workspace, "https://example.org/model").json["properties"]
    assert (kept["modelUri"], kept["jobName"]) == ("https://example.org/model", None)


def test_the_name_of_the_job_survives_an_update(workspace: Workspace) -> None:
    put(workspace, "azureml://datastores/d/paths/m", jobName="j")
    sent = MODELS.get(workspace).json["properties"]
    assert put(workspace, sent["modelUri"], tags={"k": "v"}).json["properties"]["jobName"] == "j"


def test_flavors_are_an_object_even_if_none_were_sent(workspace: Workspace) -> None:
    assert put(workspace, "azureml://datastores/d/paths/m").json["properties"]["flavors"] == {}


def test_stage_and_flavors_can_change(workspace: Workspace) -> None:
    flavors = {"python_function": {"data": {"env": "conda.yaml"}}}
    put(workspace, "azureml://datastores/d/paths/m")
    kept = put(workspace, "azureml://datastores/d/paths/m", stage="Production", flavors=flavors).json["properties"]
    assert (kept["stage"], kept["flavors"]) == ("Production", flavors)


def test_another_type_is_another_definition(workspace: Workspace) -> None:
    put(workspace, "azureml://datastores/d/paths/m")
    assert put(workspace, "azureml://datastores/d/paths/m", "mlflow_model").status == 409


@pytest.mark.parametrize("kind", ["custom_model", "mlflow_model", "triton_model"])
def test_each_type_is_taken(workspace: Workspace, kind: str) -> None:
    assert put(workspace, "azureml://datastores/d/paths/m", kind).json["properties"]["modelType"] == kind


@pytest.mark.parametrize(
    ("uri", "kind", "more"),
    [
        (None, "custom_model", {}),
        ("", "custom_model", {}),
        ("https://x", "onnx", {}),
        ("https://x", None, {"flavors": []}),
    ],
)
def test_what_is_no_model_is_refused(workspace: Workspace, uri: Any, kind: Any, more: dict[str, Any]) -> None:
    assert put(workspace, uri, kind, **more).status == 400
    assert MODELS.container(workspace).status == 404
