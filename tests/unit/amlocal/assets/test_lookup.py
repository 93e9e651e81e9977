"""What a reference means, in every form that a job or model may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.assembly.stores import open_stores
from amlocal.assets.lookup import AssetLookup, RemoteLocation, curated_name
from amlocal.blobs import BlobStore
from amlocal.core.context import random_ids, system_clock
from amlocal.core.errors import BadRequest, NotFound
from amlocal.datastores.store import Location
from tests.unit.amlocal.asgi import FEW, Answer, Workspace
from tests.unit.amlocal.assets.kinds import CODES, DATA, ENVIRONMENTS, MODELS


@pytest.fixture
def lookup(workspace: Workspace) -> AssetLookup:
    context = workspace.app._context
    blobs = BlobStore(workspace.settings.folder.chunks, context.documents._database, system_clock, random_ids)
    return open_stores(context, blobs).lookup()


@pytest.fixture
def container(workspace: Workspace) -> str:
    """The container of the default datastore."""
    return f"azureml-blobstore-{workspace.identity.guid}"


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("azureml:AzureML-sklearn-1.0@latest", "AzureML-sklearn-1.0@latest"),
        ("azureml:AzureML-sklearn-1.0:33", "AzureML-sklearn-1.0:33"),
        ("AzureML-sklearn:1", "AzureML-sklearn:1"),
        ("{arm}/environments/AzureML-sklearn/versions/1", "AzureML-sklearn/versions/1"),
        (
            "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
            "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
        ),
    ],
)
def test_a_curated_environment_is_known_by_its_name(
    workspace: Workspace, lookup: AssetLookup, reference: str, name: str
) -> None:
    reference = reference.format(arm=workspace.arm)
    assert curated_name(reference) == name
    assert lookup.environment(reference) is None


@pytest.mark.parametrize("form", ["{arm}/environments/n/versions/1", "azureml:n:1", "azureml:n@latest"])
def test_an_environment_of_the_workspace_is_found(workspace: Workspace, lookup: AssetLookup, form: str) -> None:
    ENVIRONMENTS.put(workspace)
    found = lookup.environment(form.format(arm=workspace.arm))
    assert found
    assert (found.name, found.version) == ("n", "1")


@pytest.mark.parametrize("reference", ["azureml:n:1", "azureml:n@latest", "nonsense", ""])
def test_an_environment_that_is_missing_is_named(lookup: AssetLookup, reference: str) -> None:
    with pytest.raises(NotFound):
        lookup.environment(reference)


def test_a_label_is_the_newest_that_is_not_archived(workspace: Workspace, lookup: AssetLookup) -> None:
    for version, archived in (("1", False), ("2", True)):
        ENVIRONMENTS.put(workspace, version=version, isArchived=archived)
    found = lookup.environment("azureml:n@latest")
    assert found
    assert found.version == "1"


def test_a_snapshot_is_found_by_its_id(workspace: Workspace, lookup: AssetLookup) -> None:
    CODES.put(workspace)
    assert lookup.code(workspace.arm_of("codes/n/versions/1")).version == "1"


@pytest.mark.parametrize(
    "form", ["{arm}/data/n/versions/1", "azureml:n:1", "azureml:n@latest", "azureml:{arm}/data/n/versions/1"]
)
def test_a_data_asset_leads_to_its_place(workspace: Workspace, lookup: AssetLookup, container: str, form: str) -> None:
    DATA.put(workspace)
    assert lookup.locate(form.format(arm=workspace.arm)) == Location(container, "a.csv")


def test_a_model_leads_to_its_place(workspace: Workspace, lookup: AssetLookup, container: str) -> None:
    MODELS.put(workspace)
    assert lookup.locate(workspace.arm_of("models/n/versions/1")) == Location(container, "model")


def test_a_folder_that_looks_like_an_asset_is_a_folder(lookup: AssetLookup, container: str) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/data/n/versions/1"
    assert lookup.locate(uri) == Location(container, "data/n/versions/1")


def test_a_url_of_the_world_is_remote(lookup: AssetLookup) -> None:
    assert lookup.locate("https://example.org/a.csv") == RemoteLocation("https://example.org/a.csv")


def test_a_url_of_the_local_account_is_here(lookup: AssetLookup) -> None:
    assert lookup.locate("https://127.0.0.1:8443/devstore/box/x") == Location("box", "x")


@pytest.mark.parametrize("uri", ["wasbs://c@a/x", "./local", "file:///etc/passwd", ""])
def test_what_cannot_be_read_is_refused_with_the_forms_that_can(lookup: AssetLookup, uri: str) -> None:
    with pytest.raises(BadRequest, match="known are"):
        lookup.locate(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "{arm}/data/missing/versions/1",
        "{arm}/models/missing/versions/1",
        "azureml:missing@latest",
        "azureml://datastores/missing/paths/x",
        "azureml://jobs/missing/outputs/artifacts/paths/x",
    ],
)
def test_what_is_missing_is_not_found(workspace: Workspace, lookup: AssetLookup, uri: str) -> None:
    with pytest.raises(NotFound):
        lookup.locate(uri.format(arm=workspace.arm))


def test_the_output_of_a_job_is_looked_for_when_the_next_job_runs(lookup: AssetLookup) -> None:
    lookup.check_input("azureml://jobs/not-yet/outputs/artifacts/paths/x")


def test_an_input_that_names_a_missing_version_is_refused_at_once(lookup: AssetLookup) -> None:
    with pytest.raises(NotFound):
        lookup.check_input("azureml:missing:1")


def test_an_input_whose_content_is_missing_is_taken(lookup: AssetLookup) -> None:
    lookup.check_input("azureml://datastores/workspaceblobstore/paths/nothing/here")


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("wasbs://data@acc.blob.core.windows.net/a/b.csv", "https://acc.blob.core.windows.net/data/a/b.csv"),
        ("wasb://data@acc.blob.core.windows.net/a.csv", "https://acc.blob.core.windows.net/data/a.csv"),
        ("abfss://fs@acc.dfs.core.windows.net/a/b.csv", "https://acc.blob.core.windows.net/fs/a/b.csv"),
        ("adl://lake.azuredatalakestore.net/a.csv", "https://lake.azuredatalakestore.net/a.csv"),
        ("wasbs://data@acc.blob.core.windows.net/", "https://acc.blob.core.windows.net/data/"),
        ("wasbs://data@acc.blob.core.windows.net", "https://acc.blob.core.windows.net/data/"),
        ("abfss://fs@acc.dfs.core.windows.net/a/", "https://acc.blob.core.windows.net/fs/a/"),
    ],
)
def test_the_forms_of_azures_storage_are_taken_and_folders_distinguished_from_files(
    lookup: AssetLookup, uri: str, url: str
) -> None:
    assert lookup.locate(uri) == RemoteLocation(url, is_folder=url.endswith("/"))
    lookup.check_input(uri)
    assert lookup.storage_uri(uri) == uri


@pytest.mark.parametrize("uri", ["wasbs://acc.blob.core.windows.net/a", "abfss://fs@acc", "ftp://x/a", "wasbs://"])
def test_what_is_none_of_them_is_refused(lookup: AssetLookup, uri: str) -> None:
    with pytest.raises(BadRequest, match="cannot be read here"):
        lookup.locate(uri)


PUBLISHED = (
    "AzureML-sklearn-1.5",
    "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu",
    "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu",
    "AzureML-acpt-pytorch-2.8-cuda12.6",
    "AzureML-ACPT-pytorch-1.13-py38-cuda11.7-gpu",
    "AzureML-pytorch-1.10-ubuntu18.04-py38-cuda11-gpu",
    "AzureML-tensorflow-2.16-cuda12",
    "AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu",
    "AzureML-responsibleai-0.20-ubuntu20.04-py38-cpu",
    "AzureML-minimal-ubuntu18.04-py37-cpu-inference",
    "AzureML-xgboost-0.9-ubuntu18.04-py37-cpu-inference",
    "AzureML-AutoML",
    "AzureML-ai-ml-automl",
    "AzureML-model-management",
    "AzureML-python-sdk-v2",
    "AzureML-Train-Finetune-Vision-MultiClass-Samples",
    "AzureML-Minimal",
    "AzureML-Tutorial",
)
UNKNOWN = ("AzureML-sklern-1.5", "AzureML-", "AzureML-mine", "AzureML-sklearnx")


def submit(workspace: Workspace, environment: str, name: str = "job") -> Answer:
    job = {"jobType": "Command", "command": "true", "environmentId": environment}
    return workspace.put(f"jobs/{name}", job)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_one_is_got_by_version_and_by_its_latest(workspace: Workspace, name: str) -> None:
    latest = workspace.get(f"environments/{name}").json["properties"]["latestVersion"]
    for version in (latest, "33"):
        found = workspace.get(f"environments/{name}/versions/{version}").json
        assert found["id"] == workspace.arm_of(f"environments/{name}/versions/{version}")
        assert (found["name"], found["properties"]["environmentType"]) == (version, "Curated")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_job_may_name_it_in_every_form(workspace: Workspace, name: str) -> None:
    forms = (
        f"azureml:{name}:33",
        f"azureml:{name}@latest",
        workspace.arm_of(f"environments/{name}/versions/33"),
        f"azureml:{workspace.arm_of(f'environments/{name}/versions/33')}",
    )
    assert [submit(workspace, form, f"job{n}").status for n, form in enumerate(forms)] == [201] * 4


@pytest.mark.parametrize("name", UNKNOWN)
def test_another_name_of_the_prefix_does_not_exist_for_anyone(workspace: Workspace, name: str) -> None:
    assert workspace.get(f"environments/{name}/versions/1").status == 404
    assert workspace.get(f"environments/{name}").status == 404
    for form in (f"azureml:{name}:1", f"azureml:{name}@latest"):
        answer = submit(workspace, form)
        assert (answer.status, name in answer.error["message"]) == (404, True)


@FEW
@given(rest=st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", max_size=8), job=st.uuids())
def test_what_a_job_may_name_can_be_got(shared_workspace: Workspace, rest: str, job: object) -> None:
    name = f"AzureML-skl{rest}"
    got = shared_workspace.get(f"environments/{name}/versions/1").status == 200
    assert (submit(shared_workspace, f"azureml:{name}:1", f"{job}").status == 201) is got


@pytest.mark.parametrize("name", ["AzureML-sklearn-1.5", "azureml-mine"])
def test_nobody_writes_under_azures_prefix(workspace: Workspace, name: str) -> None:
    for path in (f"environments/{name}/versions/1", f"environments/{name}"):
        answer = workspace.put(path, {"image": "python", "isArchived": True})
        assert (answer.status, "Azure's own" in answer.error["message"]) == (400, True)


def test_they_are_not_among_the_workspaces_own(workspace: Workspace) -> None:
    assert workspace.get("environments").json["value"] == []
