import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.context import Identity
from amlocal.core.errors import ApiError, BadRequest
from amlocal.core.uris import (
    ForeignReference,
    datastore_reference,
    job_output_reference,
    own_reference,
    version_reference,
)

IDENTITY = Identity("sub", "group", "ws", "guid")
PROVIDER = "providers/Microsoft.MachineLearningServices"
SEGMENTS = st.text(st.characters(codec="utf-8", exclude_characters="/:@"), min_size=1, max_size=12)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join).filter(lambda path: not path.startswith("paths/"))


@given(SEGMENTS, PATHS, st.sampled_from(["resourcegroups", "resourceGroups"]))
def test_the_long_form_is_parsed_as_it_is_written(datastore: str, path: str, group: str) -> None:
    assert datastore_reference(IDENTITY, IDENTITY.datastore_uri(datastore, path, group=group)) == (datastore, path)


@given(SEGMENTS, PATHS)
def test_every_form_of_a_datastore_uri_means_the_same(datastore: str, path: str) -> None:
    tail = f"datastores/{datastore}/paths/{path}"
    forms = {
        f"azureml://{tail}",
        f"azureml://workspaces/guid/{tail}",
        f"azureml://locations/local/workspaces/guid/{tail}",
        f"azureml://subscriptions/sub/resourceGroups/group/workspaces/ws/{tail}",
        f"azureml://subscriptions/SUB/resourcegroups/Group/{PROVIDER}/workspaces/WS/{tail}",
        f"azureml:{IDENTITY.arm_id}/{tail}",
        f"{IDENTITY.arm_id}/{tail}",
        f"azureml://datastores/{datastore}/{path}",  # as Azure writes the output "default" of a job
    }
    assert {datastore_reference(IDENTITY, form) for form in forms} == {(datastore, path)}


@given(SEGMENTS, SEGMENTS, PATHS)
def test_every_form_of_a_job_output_means_the_same(job: str, output: str, path: str) -> None:
    root = f"azureml://jobs/{job}/outputs/{output}"
    forms = {f"{root}/paths/{path}", f"{root}/paths/{path}/", f"{root}/{path}"}
    assert {job_output_reference(IDENTITY, form) for form in forms} == {(job, output, path)}


@given(SEGMENTS, PATHS)
def test_a_run_is_the_artifacts_of_its_job(run: str, path: str) -> None:
    assert job_output_reference(IDENTITY, f"runs:/{run}/{path}") == (run, "artifacts", path)


@pytest.mark.parametrize(
    "uri", ["azureml://jobs/j/outputs/o", "azureml://jobs/j/outputs/o/paths/", "runs:/j", "runs:/j/"]
)
def test_an_output_without_a_path_is_the_whole_output(uri: str) -> None:
    found = job_output_reference(IDENTITY, uri)
    assert found
    assert found[2] == ""


@given(SEGMENTS, SEGMENTS)
def test_every_form_of_a_version_means_the_same(name: str, version: str) -> None:
    arm = f"{IDENTITY.arm_id}/environments/{name}/versions/{version}"
    forms = {arm, f"azureml:{arm}", arm.replace("/environments/", "/Environments/"), f"azureml:{name}:{version}"}
    forms |= {f"azureml://locations/local/workspaces/guid/environments/{name}/versions/{version}"}
    leaked = f"{IDENTITY.arm_id}/environments/azureml:{name}/versions/{version}"
    assert {version_reference(IDENTITY, form, "environments") for form in forms | {leaked}} == {(name, version)}


@given(SEGMENTS, SEGMENTS)
def test_a_label_keeps_its_sign(name: str, label: str) -> None:
    assert version_reference(IDENTITY, f"azureml:{name}@{label}", "data") == (name, f"@{label}")


def test_the_first_separator_parts_a_version_from_a_label() -> None:
    assert version_reference(IDENTITY, "azureml:n:1@2", "data") is None


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://datastores/d/paths/data/x/versions/1",  # a folder that looks like an asset
        "https://example.org/data/x/versions/1",
        f"{IDENTITY.arm_id}/models/x/versions/1",  # of another kind
        "/subscriptions/sub/resourceGroups/group/providers/Other/workspaces/ws/data/x/versions/1",
        "name",
        "",
    ],
)
def test_what_names_no_version_is_none(uri: str) -> None:
    assert version_reference(IDENTITY, uri, "data") is None


@pytest.mark.parametrize("uri", ["https://example.org/datastores/d/paths/x", "azureml:d:1", "wasbs://c@a/x", ""])
def test_what_names_no_datastore_is_none(uri: str) -> None:
    assert datastore_reference(IDENTITY, uri) is None
    assert job_output_reference(IDENTITY, uri) is None


NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)


@given(
    st.tuples(NAMES, NAMES, NAMES).filter(lambda names: tuple(map(str.lower, names)) != ("sub", "group", "ws")),
    st.sampled_from(["azureml://", "azureml:/", "/"]),
    st.sampled_from(["resourcegroups", "resourceGroups"]),
    st.sampled_from(["", f"{PROVIDER}/"]),
    st.sampled_from(["datastores/d/paths/x", "data/n/versions/1", "jobs/j/outputs/o/paths/p", "computes/c", ""]),
)
def test_what_differs_in_any_name_belongs_to_another_workspace(
    names: tuple[str, str, str], head: str, group: str, provider: str, tail: str
) -> None:
    uri = f"{head}subscriptions/{names[0]}/{group}/{names[1]}/{provider}workspaces/{names[2]}/{tail}"
    readers = (own_reference, datastore_reference, job_output_reference)
    for read in (*readers, lambda here, uri: version_reference(here, uri, "data")):
        with pytest.raises(ForeignReference, match=f"'{names[2]}' in resource group '{names[1]}'"):
            read(IDENTITY, uri)


@pytest.mark.parametrize("head", ["azureml://workspaces", "azureml://locations/westeurope/workspaces"])
def test_a_guid_of_another_workspace_is_reported(head: str) -> None:
    with pytest.raises(ForeignReference, match="another workspace: 'other'"):
        own_reference(IDENTITY, f"{head}/other/data/n/versions/1")


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://registries/mine/data/x/versions/1",
        f"/subscriptions/sub/resourceGroups/group/{PROVIDER}/registries/mine/models/x/versions/1",
    ],
)
def test_a_registry_is_named(uri: str) -> None:
    with pytest.raises(
        ApiError, match=r"Registries are not served by amlocal yet: .* is of registry 'mine'"
    ) as refused:
        own_reference(IDENTITY, uri)
    assert refused.value.status == 501


@given(st.text(max_size=20) | PATHS.map(lambda path: f"https://example.org/{path}"))
def test_what_names_no_workspace_stays_as_it_is(text: str) -> None:
    assert own_reference(IDENTITY, text) == text


@pytest.mark.parametrize(
    "reference",
    [
        " azureml://subscriptions/o/resourcegroups/g/workspaces/w/datastores/d/paths/p",
        "azureml://subscriptions%2Fo/resourcegroups/g/workspaces/w/datastores/d/paths/p",
        "azureml%3A%2F%2Fsubscriptions/o/resourcegroups/g/workspaces/w/datastores/d/paths/p",
        "azureml://subscriptions/o/workspaces/w/datastores/d/paths/p",
        "azureml://subscriptions/sub/resourcegroups/group/workspaces/ws/../w/datastores/d/paths/p",
        "azureml://workspaces/guid/../w/datastores/d/paths/p",
        "azureml://workspaces/",
    ],
)
def test_what_names_a_workspace_in_no_known_form_is_refused(reference: str) -> None:
    with pytest.raises(BadRequest, match="in no form that Azure ML has"):
        own_reference(IDENTITY, reference)
