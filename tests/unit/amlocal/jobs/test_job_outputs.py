import pytest

from amlocal.core.errors import NotFound
from amlocal.jobs.outputs import JobOutputs, artifact_path, planned_location
from amlocal.jobs.states import Status
from tests.unit.amlocal.jobs.desk import IDENTITY, Desk


@pytest.fixture
def outputs(desk: Desk) -> JobOutputs:
    desk.submit_in(Status.COMPLETED, outputs={"y": {"jobOutputType": "uri_folder"}})
    desk.blobs.put_bytes("azureml", artifact_path("job", "model/MLmodel"), b"m")
    desk.put_data("azureml/job/y/a.txt", b"a")
    return desk.stores.outputs


@pytest.mark.parametrize("name", ["artifacts", "default"])
def test_artifacts_are_found_under_both_names(outputs: JobOutputs, name: str) -> None:
    assert outputs.resolve("job", name, "model") == ("workspaceartifactstore", "ExperimentRun/dcid.job/model")
    assert outputs.resolve("job", name, "") == ("workspaceartifactstore", "ExperimentRun/dcid.job")


@pytest.mark.parametrize("path", ["", "a.txt"])
def test_a_named_output_is_found(outputs: JobOutputs, path: str) -> None:
    assert outputs.resolve("job", "y", path) == ("workspaceblobstore", f"azureml/job/y/{path}".rstrip("/"))


def test_what_is_not_there_is_named_with_the_jobs_status(outputs: JobOutputs) -> None:
    with pytest.raises(NotFound, match=r"nothing at 'mode' in the output 'artifacts' of job job \(status Completed\)"):
        outputs.resolve("job", "artifacts", "mode")


def test_an_output_without_content_is_not_there(desk: Desk, outputs: JobOutputs) -> None:
    desk.submit("empty", outputs={"y": {}})
    with pytest.raises(NotFound, match=r"nothing at the output 'y' of job empty \(status Starting\)"):
        outputs.resolve("empty", "y", "")


def test_an_unknown_output_is_answered_with_those_there_are(outputs: JobOutputs) -> None:
    with pytest.raises(NotFound, match="has no output 'z'; it has artifacts, default, y"):
        outputs.resolve("job", "z", "")


def test_a_missing_job_is_not_found(outputs: JobOutputs) -> None:
    with pytest.raises(NotFound, match="Job other"):
        outputs.resolve("other", "artifacts", "")


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        (None, ("workspaceblobstore", "azureml/job/y")),
        ("azureml://datastores/d/paths/a/b/", ("d", "a/b")),
        ("azureml://subscriptions/sub/resourcegroups/group/workspaces/ws/datastores/d/paths/a", ("d", "a")),
    ],
)
def test_an_output_goes_where_it_was_asked_to_or_to_azures_place(uri: str | None, place: tuple[str, str]) -> None:
    assert planned_location(IDENTITY, "job", "y", {"uri": uri}) == place
