"""Assets answer in the shapes that Azure ML was recorded to answer in."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.contract.amlocal.recorded import assets
from tests.contract.amlocal.recorded.vocabulary import Shape, places
from tests.unit.amlocal.asgi import ORIGIN, Answer, Workspace

CONDA = "name: x\ndependencies:\n- python=3.11\n"
SHORT = "azureml://datastores/workspaceblobstore/paths"
CONTEXT = {"contextUri": f"{ORIGIN}/azureml/LocalUpload/0f/ctx/", "dockerfilePath": "Dockerfile"}
HASH = {"hash_sha256": "ab", "hash_version": 202208}

IMAGE = {"image": "img", "condaFile": CONDA}
FILE = {"dataType": "uri_file", "dataUri": f"{SHORT}/a.csv"}
FOLDER = {"dataType": "uri_folder", "dataUri": f"{SHORT}/a"}
MODEL = {"modelType": "custom_model", "modelUri": f"{SHORT}/m"}
MLFLOW = {
    "modelType": "mlflow_model", "modelUri": f"{SHORT}/m", "stage": "Production",
    "flavors": {"python_function": {"data": {"env": "conda.yaml"}}},
}  # fmt: skip
CODE = {"codeUri": f"{ORIGIN}/devstore/c/src", "properties": HASH, "isAnonymous": True}

CREATED: list[tuple[str, dict[str, Any], Shape]] = [
    ("environments", IMAGE, assets.ENVIRONMENT),
    ("environments", {"image": "img"}, assets.ENVIRONMENT_WITHOUT_CONDA),
    ("environments", {"build": CONTEXT}, assets.ENVIRONMENT_OF_CONTEXT),
    ("environments", IMAGE | {"isAnonymous": True}, assets.ENVIRONMENT),
    ("data", FILE, assets.DATA_FILE),
    ("data", FOLDER, assets.DATA_FOLDER),
    ("data", FOLDER | {"dataUri": "https://nowhere.example"}, assets.DATA_FROM_ELSEWHERE),
    (
        "data",
        FOLDER | {"autoDeleteSetting": {"condition": "createdGreaterThan", "value": "30d"}},
        assets.DATA_TO_BE_DELETED,
    ),
    ("models", MODEL, assets.MODEL),
    ("models", MLFLOW, assets.MLFLOW_MODEL),
    ("codes", CODE, assets.CODE),
]
REPEATED: list[tuple[str, dict[str, Any], int, Shape]] = [
    ("environments", IMAGE, 201, assets.ENVIRONMENT),
    ("data", FILE, 200, assets.DATA_FILE_UPDATED),
    ("models", MODEL, 200, assets.MODEL),
    ("codes", CODE, 200, assets.CODE),
]


def put(workspace: Workspace, kind: str, properties: dict[str, Any], version: str = "1") -> Answer:
    return workspace.put(f"{kind}/n/versions/{version}", properties)


@pytest.mark.parametrize(("kind", "properties", "shape"), CREATED)
def test_what_is_created_is_shown_in_azures_shape(
    workspace: Workspace, kind: str, properties: dict[str, Any], shape: Shape
) -> None:
    created = put(workspace, kind, properties)
    assert created.status == 201
    assert created.headers["location"] == f"{ORIGIN}{workspace.arm}/{kind}/n/versions/1"
    assert places(shape, created.json) == set()
    assert places(shape, workspace.get(f"{kind}/n/versions/1").json) == set()


@pytest.mark.parametrize(("kind", "properties", "status", "shape"), REPEATED)
def test_the_same_again_is_answered_as_azure_does(
    workspace: Workspace, kind: str, properties: dict[str, Any], status: int, shape: Shape
) -> None:
    first = put(workspace, kind, properties).json["systemData"]
    workspace.clock.advance(minutes=1)
    again = put(workspace, kind, properties)
    assert (again.status, "location" in again.headers) == (status, status == 201)
    assert places(shape, again.json) == set()
    assert again.json["systemData"]["createdAt"] == first["createdAt"]
    moved = again.json["systemData"]["lastModifiedAt"] != first["lastModifiedAt"]
    assert moved is (kind != "environments")


@pytest.mark.parametrize(("kind", "properties", "status", "shape"), REPEATED)
def test_an_archived_version_keeps_the_shape(
    workspace: Workspace, kind: str, properties: dict[str, Any], status: int, shape: Shape
) -> None:
    put(workspace, kind, properties)
    sent = workspace.get(f"{kind}/n/versions/1").json["properties"]
    archived = put(workspace, kind, sent | {"isArchived": True})
    assert (archived.status, archived.json["properties"]["isArchived"]) == (status, True)
    assert places(shape, archived.json) == set()


@pytest.mark.parametrize("query", [{}, {"listViewType": "ActiveOnly"}, {"$orderBy": "createdtime desc", "$top": "1"}])
@pytest.mark.parametrize(("kind", "properties", "shape"), CREATED)
def test_a_list_holds_versions_in_their_shape(
    workspace: Workspace, kind: str, properties: dict[str, Any], shape: Shape, query: dict[str, str]
) -> None:
    put(workspace, kind, properties)
    body = workspace.get(f"{kind}/n/versions", **query).json
    assert places({"value": (shape,)}, body) == set()


@pytest.mark.parametrize(
    ("kind", "properties", "shape"),
    [
        ("environments", IMAGE, assets.ENVIRONMENT_CONTAINER),
        ("data", FILE, assets.DATA_CONTAINER),
        ("models", MODEL, assets.MODEL_CONTAINER),
    ],
)
def test_a_container_is_shown_in_azures_shape(
    workspace: Workspace, kind: str, properties: dict[str, Any], shape: Shape
) -> None:
    put(workspace, kind, properties)
    assert places(shape, workspace.get(f"{kind}/n").json) == set()
    assert places({"value": (shape,)}, workspace.get(kind).json) == set()


def test_a_container_of_no_versions_has_no_latest(workspace: Workspace) -> None:
    workspace.put("models/n", {"isArchived": False})
    body = workspace.get("models").json
    assert places({"value": [assets.MODEL_CONTAINER]}, body) == {".value[0].properties.latestVersion"}
    assert body["value"][0]["properties"]["latestVersion"] is None
    assert body["value"][0]["properties"]["nextVersion"] == "1"


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("environments/n", assets.NO_ENVIRONMENT),
        ("data/n/versions/1", assets.NO_DATA),
        ("models/n", assets.NO_MODEL),
    ],
)
def test_what_is_missing_is_missing_in_azures_words(workspace: Workspace, path: str, shape: Shape) -> None:
    answer = workspace.get(path)
    assert answer.status == 404
    assert places(shape, answer.json) == set()


def test_a_page_leads_to_the_next_as_azures_does(workspace: Workspace) -> None:
    for number in range(101):
        workspace.put(f"models/n{number}/versions/1", MODEL)
    query = {"api-version": "2023-08-01-preview", "listViewType": "ActiveOnly"}
    body = workspace.get("models", **query).json
    link = urlsplit(body["nextLink"])
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{ORIGIN}{workspace.arm}/models"
    repeated = dict(parse_qsl(link.query))
    assert repeated.pop("$skipToken")
    assert repeated == query
    assert "$skipToken=" in link.query


def test_a_snapshot_is_found_by_hash_under_another_name(workspace: Workspace) -> None:
    put(workspace, "codes", CODE)
    hit = workspace.get("codes/another/versions", hash="ab", hashVersion="202208").json
    assert places({"value": (assets.CODE,)}, hit) == set()
    assert hit["value"][0]["id"] == workspace.arm_of("codes/n/versions/1")
    assert workspace.get("codes/n/versions", hash="cd", hashVersion="202208").json == {"value": []}


def test_an_upload_is_begun_in_azures_shape(workspace: Workspace) -> None:
    url = workspace.arm_of("codes/n/versions/1/startPendingUpload")
    answer = workspace.ask("POST", url, {"pendingUploadType": "TemporaryBlobReference"})
    assert (answer.status, places(assets.PENDING_UPLOAD, answer.json)) == (200, set())
    reference = answer.json["blobReferenceForConsumption"]
    container = reference["blobUri"].rpartition("/")[2]
    assert container.startswith(f"{workspace.identity.guid[:10]}-")
    assert {"sv", "st", "se", "sr", "sp", "sig"} <= {
        key for key, _ in parse_qsl(urlsplit(reference["credential"]["sasUri"]).query)
    }
