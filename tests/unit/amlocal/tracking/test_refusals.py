"""What is refused as Azure refuses it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import ApiError
from amlocal.tracking.refusals import check_places, refusal

MLFLOW_2 = [
    ("POST", "api/2.0/mlflow/runs/create"),
    ("GET", "api/2.0/mlflow/experiments/get"),
    ("POST", "api/2.0/mlflow/runs/log-batch"),
    ("GET", "api/3.0/mlflow/server-info"),
    ("HEAD", "api/2.0/mlflow/runs/get"),
    ("GET", "static-files/main.js"),
    ("GET", "version"),
    ("GET", ""),
]
# MLflow's server has all of these, and on Azure there is none of them.
NOWHERE = [
    ("POST", "ajax-api/2.0/mlflow/upload-artifact"),
    ("GET", "ajax-api/2.0/mlflow/gateway-proxy"),
    ("GET", "ajax-api/2.0/mlflow/get-trace-artifact"),
    ("GET", "ajax-api/2.0/mlflow/logged-models/m-1/artifacts/files"),
    ("POST", "ajax-api/2.0/mlflow/runs/create-promptlab-run"),
    ("GET", "model-versions/get-artifact"),
    ("POST", "api/2.0/mlflow/artifacts/presigned-upload-url"),
    ("PUT", "api/2.0/mlflow/runs/create"),
    ("GET", "api/2.0/mlflow/runs/create"),
    ("POST", "api/2.0/mlflow/runs/get/"),
    ("GET", "api/2.0//mlflow/runs/get"),
    ("POST", "mlflow/api/2.0/mlflow/runs/create"),
    ("GET", "graphql"),
    ("GET", "static-files"),
]
OWN_PLACES = ["", None, "mlflow-artifacts:/1", "mlflow-artifacts:/a folder/b"]
STRANGE_PLACES = [
    "file:///etc", "file:/etc", "/etc", "etc", "./etc", "../etc", "s3://bucket/x", "dbfs:/x", "http://127.0.0.1:1/x",
    "mlflow-artifacts://elsewhere:1/x", "mlflow-artifacts:/../x", "mlflow-artifacts:/a/%2e%2e/%252e%252e/b",
    "mlflow-artifacts:/a?x=../..", "mlflow-artifacts:/a#b", "mlflow-artifacts:/a\\..\\b", "MLFLOW-ARTIFACTS:/x", 7, ["file:///etc"],
]  # fmt: skip
ON_AZURE = [
    (404, "POST", "api/2.0/mlflow/logged-models"),
    (404, "POST", "api/2.0/mlflow/logged-models/search"),
    (404, "PATCH", "api/2.0/mlflow/logged-models/m-1/tags"),
    (404, "POST", "ajax-api/2.0/mlflow/logged-models"),
    (404, "POST", "api/3.0/mlflow/datasets/create"),
    (403, "POST", "api/2.0/mlflow/traces"),
    (403, "POST", "api/3.0/mlflow/traces"),
    (403, "GET", "api/3.0/mlflow/traces/tr-1"),
    (403, "POST", "v1/traces"),
]
NEVER = [(404, "POST", "api/2.0/mlflow/webhooks"), (404, "POST", "api/3.0/mlflow/gateway/secrets/create")]
REGISTRY = [
    ("POST", "api/2.0/mlflow/registered-models/create"),
    ("GET", "api/2.0/mlflow/model-versions/search"),
    ("POST", "ajax-api/2.0/mlflow/model-versions/create"),
]
LOOKED_AT = [
    ("GET", "ajax-api/2.0/mlflow/registered-models/search"),
    ("POST", "ajax-api/2.0/mlflow/logged-models/search"),
    ("POST", "ajax-api/3.0/mlflow/traces/batchGetInfos"),
]


@pytest.mark.parametrize(("method", "path"), MLFLOW_2)
def test_what_azure_serves_passes(method: str, path: str) -> None:
    assert refusal(method, path, lenient=False) is None


@pytest.mark.parametrize(("status", "method", "path"), ON_AZURE + NEVER)
def test_what_azure_lacks_is_answered_with_its_status(status: int, method: str, path: str) -> None:
    reply = refusal(method, path, lenient=False)
    assert reply is not None
    assert (reply.status, reply.media_type) == (status, "text/plain; charset=utf-8")


@pytest.mark.parametrize(("status", "method", "path"), ON_AZURE)
def test_what_azure_lacks_passes_when_relaxed(status: int, method: str, path: str) -> None:
    assert refusal(method, path, lenient=True) is None


@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize(("method", "path"), REGISTRY)
def test_the_registry_names_what_is_missing_and_the_way_out(method: str, path: str, lenient: bool) -> None:
    reply = refusal(method, path, lenient=lenient)
    assert reply is not None
    message = f"amlocal does not serve {method} {path}: register through azure-ai-ml."
    assert (reply.status, reply.body) == (501, {"error_code": "NOT_IMPLEMENTED", "message": message})


@pytest.mark.parametrize(("method", "path"), LOOKED_AT)
def test_mlflows_pages_may_look_at_all_of_it(method: str, path: str) -> None:
    assert refusal(method, path, lenient=False) is None


@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize(("method", "path"), NOWHERE)
def test_what_is_not_on_azures_list_is_refused_strict_or_lenient(method: str, path: str, lenient: bool) -> None:
    reply = refusal(method, path, lenient=lenient)
    assert reply is not None
    assert reply.status == 404
    message = {"error_code": "RESOURCE_DOES_NOT_EXIST"}
    assert isinstance(reply.body, bytes) or (isinstance(reply.body, dict) and message.items() <= reply.body.items())


@given(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]), st.text())
def test_a_path_that_no_one_listed_never_passes(method: str, path: str) -> None:
    assert refusal(method, f"api/2.0/mlflow/anything-new/{path}", lenient=True) is not None


def test_every_route_of_mlflow_that_the_lenient_mode_adds_is_one_without_a_place() -> None:
    opened = ("webhooks", "gateway", "workspaces", "presigned", "artifact", "prompt-optimization")
    assert all(refusal("POST", f"api/{v}.0/mlflow/{name}", lenient=True) for name in opened for v in (2, 3))


@pytest.mark.parametrize("place", OWN_PLACES)
def test_a_place_of_the_workspaces_own_is_taken(place: object) -> None:
    check_places({"name": "x", "artifact_location": place, "tags": [{"key": "k", "value": "file:///etc"}]})


@pytest.mark.parametrize("place", STRANGE_PLACES)
@pytest.mark.parametrize("name", ["artifact_location", "artifactLocation", "ARTIFACT_URI", "default_artifact_root"])
@pytest.mark.parametrize("depth", [0, 2])
def test_any_other_place_is_refused_however_it_is_spelled(place: object, name: str, depth: int) -> None:
    body: object = {name: place}
    for _ in range(depth):
        body = {"inner": [body]}
    with pytest.raises(ApiError, match="workspace's own storage") as caught:
        check_places(body)
    assert caught.value.status == 400


def test_the_tag_by_which_traces_name_a_place_is_refused() -> None:
    with pytest.raises(ApiError, match=r"mlflow\.artifactLocation"):
        check_places({"trace": {"tags": [{"key": "mlflow.artifactLocation", "value": "file:///etc"}]}})
    with pytest.raises(ApiError, match="artifactLocation"):
        check_places({"trace": {"tags": {"mlflow.artifactLocation": "file:///etc"}}})
