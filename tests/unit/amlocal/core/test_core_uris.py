import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.context import Identity
from amlocal.core.uris import datastore_reference, job_output_reference, version_reference

IDENTITY = Identity("sub", "group", "ws", "guid")
SEGMENTS = st.text(st.characters(codec="utf-8", exclude_characters="/:@"), min_size=1, max_size=12)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join).filter(lambda path: not path.startswith("paths/"))


@given(SEGMENTS, PATHS, st.sampled_from(["resourcegroups", "resourceGroups"]))
def test_the_long_form_is_parsed_as_it_is_written(datastore: str, path: str, group: str) -> None:
    assert datastore_reference(IDENTITY.datastore_uri(datastore, path, group=group)) == (datastore, path)


@given(SEGMENTS, PATHS)
def test_every_form_of_a_datastore_uri_means_the_same(datastore: str, path: str) -> None:
    tail = f"datastores/{datastore}/paths/{path}"
    forms = {
        f"azureml://{tail}",
        f"azureml://workspaces/guid/{tail}",
        f"azureml://subscriptions/s/resourceGroups/g/workspaces/w/{tail}",
        f"azureml://subscriptions/s/resourcegroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/{tail}",
        f"azureml://datastores/{datastore}/{path}",  # as Azure writes the output "default" of a job
    }
    assert {datastore_reference(form) for form in forms} == {(datastore, path)}


@given(SEGMENTS, SEGMENTS, PATHS)
def test_every_form_of_a_job_output_means_the_same(job: str, output: str, path: str) -> None:
    root = f"azureml://jobs/{job}/outputs/{output}"
    forms = {f"{root}/paths/{path}", f"{root}/paths/{path}/", f"{root}/{path}"}
    assert {job_output_reference(form) for form in forms} == {(job, output, path)}


@given(SEGMENTS, PATHS)
def test_a_run_is_the_artifacts_of_its_job(run: str, path: str) -> None:
    assert job_output_reference(f"runs:/{run}/{path}") == (run, "artifacts", path)


@pytest.mark.parametrize(
    "uri", ["azureml://jobs/j/outputs/o", "azureml://jobs/j/outputs/o/paths/", "runs:/j", "runs:/j/"]
)
def test_an_output_without_a_path_is_the_whole_output(uri: str) -> None:
    found = job_output_reference(uri)
    assert found
    assert found[2] == ""


@given(SEGMENTS, SEGMENTS)
def test_every_form_of_a_version_means_the_same(name: str, version: str) -> None:
    arm = f"{IDENTITY.arm_id}/environments/{name}/versions/{version}"
    forms = {arm, f"azureml:{arm}", arm.replace("/environments/", "/Environments/"), f"azureml:{name}:{version}"}
    leaked = f"{IDENTITY.arm_id}/environments/azureml:{name}/versions/{version}"
    assert {version_reference(form, "environments") for form in forms | {leaked}} == {(name, version)}


@given(SEGMENTS, SEGMENTS)
def test_a_label_keeps_its_sign(name: str, label: str) -> None:
    assert version_reference(f"azureml:{name}@{label}", "data") == (name, f"@{label}")


def test_the_first_separator_tells_a_version_from_a_label() -> None:
    assert version_reference("azureml:n:1@2", "data") is None


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://datastores/d/paths/data/x/versions/1",  # a folder that looks like an asset
        "https://example.org/data/x/versions/1",
        "azureml://registries/r/data/x/versions/1",
        "/subscriptions/s/resourceGroups/g/providers/P/workspaces/w/models/x/versions/1",  # of another kind
        "name",
        "",
    ],
)
def test_what_names_no_version_is_none(uri: str) -> None:
    assert version_reference(uri, "data") is None


@pytest.mark.parametrize("uri", ["https://example.org/datastores/d/paths/x", "azureml:d:1", "wasbs://c@a/x", ""])
def test_what_names_no_datastore_is_none(uri: str) -> None:
    assert datastore_reference(uri) is None
    assert job_output_reference(uri) is None
