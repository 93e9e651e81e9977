"""What is refused as Azure refuses it."""

import pytest

from amlocal.tracking.refusals import refusal

MLFLOW_2 = [
    ("POST", "api/2.0/mlflow/runs/create"),
    ("GET", "api/2.0/mlflow/experiments/get"),
    ("POST", "api/2.0/mlflow/runs/log-batch"),
    ("GET", "api/3.0/mlflow/server-info"),
    ("GET", "static-files/main.js"),
    ("GET", ""),
]
ON_AZURE = [
    (404, "POST", "api/2.0/mlflow/logged-models"),
    (404, "POST", "api/2.0/mlflow/logged-models/search"),
    (404, "PATCH", "api/2.0/mlflow/logged-models/m-1/tags"),
    (404, "POST", "ajax-api/2.0/mlflow/logged-models"),
    (404, "POST", "api/2.0/mlflow/webhooks"),
    (404, "POST", "api/3.0/mlflow/datasets/create"),
    (403, "POST", "api/2.0/mlflow/traces"),
    (403, "POST", "api/3.0/mlflow/traces"),
    (403, "GET", "api/3.0/mlflow/traces/tr-1"),
    (403, "POST", "v1/traces"),
]
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


@pytest.mark.parametrize(("status", "method", "path"), ON_AZURE)
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
