import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import Conflict, NotFound
from amlocal.jobs.folder import JobFolder
from amlocal.jobs.outputs import (
    ContainedFiles,
    JobOutputs,
    JobPermissions,
    OutputCollector,
    artifact_path,
    planned_location,
)
from amlocal.jobs.status import Status
from tests.unit.amlocal.jobs.workspace import IDENTITY, JobWorkspace, accepted

READ, WRITE = frozenset("rl"), frozenset("racwdl")


@pytest.fixture
def outputs(workspace: JobWorkspace) -> JobOutputs:
    workspace.submit_in(Status.COMPLETED, outputs={"y": {"jobOutputType": "uri_folder"}})
    workspace.blobs.put_bytes("azureml", artifact_path("job", "model/MLmodel"), b"m")
    workspace.put_data("azureml/job/y/a.txt", b"a")
    return workspace.stores.outputs


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


def test_an_output_without_content_is_not_there(workspace: JobWorkspace, outputs: JobOutputs) -> None:
    workspace.submit("empty", outputs={"y": {}})
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


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "job"
    (root / "outputs" / "sub").mkdir(parents=True)
    (root / "outputs" / "b.txt").touch()
    (root / "outputs" / "sub" / "a.txt").touch()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").touch()
    return root


def found(root: Path, folder: str = "outputs") -> tuple[list[str], list[str]]:
    files = ContainedFiles(root / folder, root)
    return [relative for relative, _ in files], [str(path.relative_to(root)) for path in files.outside_links]


def test_files_come_by_name_with_slashes(root: Path) -> None:
    assert found(root) == (["b.txt", "sub/a.txt"], [])


def test_a_file_alone_is_itself(root: Path) -> None:
    assert found(root, "outputs/b.txt") == (["."], [])


def test_nothing_is_there_where_nothing_is(root: Path) -> None:
    assert found(root, "nowhere") == ([], [])


@pytest.mark.parametrize("target", ["../../secret", "../../secret/key", "/etc/hostname", ".."])
def test_a_link_out_of_the_jobs_folder_is_left_out_and_named(root: Path, target: str) -> None:
    (root / "outputs" / "link").symlink_to(target if target != ".." else root.parent)
    assert found(root) == (["b.txt", "sub/a.txt"], ["outputs/link"])


def test_an_output_that_became_a_link_out_is_left_out(root: Path) -> None:
    (root / "y").symlink_to(root.parent / "secret")
    assert found(root, "y") == ([], ["y"])


def test_links_within_the_jobs_folder_are_followed(root: Path) -> None:
    (root / "outputs" / "latest").symlink_to("sub")
    (root / "outputs" / "best.txt").symlink_to("sub/a.txt")
    assert found(root) == (["b.txt", "best.txt", "latest/a.txt", "sub/a.txt"], [])


def test_links_in_a_circle_come_to_an_end(root: Path) -> None:
    (root / "outputs" / "sub" / "up").symlink_to("..")
    assert found(root) == (["b.txt", "sub/a.txt"], [])


def test_pipes_and_links_to_nowhere_are_left_out(root: Path) -> None:
    os.mkfifo(root / "outputs" / "pipe")
    (root / "outputs" / "dangling").symlink_to("nothing")
    assert found(root) == (["b.txt", "sub/a.txt"], [])


def test_the_jobs_folder_may_itself_be_behind_a_link(root: Path) -> None:
    (root.parent / "alias").symlink_to(root)
    assert found(root.parent / "alias") == (["b.txt", "sub/a.txt"], [])


class Collected:
    """What becomes of a job's outputs."""

    def __init__(self, workspace: JobWorkspace) -> None:
        self.workspace = workspace
        self.collector = OutputCollector(
            workspace.blobs, workspace.stores.datastores, workspace.stores.data, workspace.stores.models
        )
        self.folder = workspace.job_folder()
        self.logged: list[str] = []

    def outputs(self, **specs: dict[str, Any]) -> dict[str, dict[str, Any]]:
        kept = accepted(self.workspace.context, outputs=specs)["outputs"]
        return self.collector.outputs("job", kept, self.folder, self.logged.append)

    def registered(self, **specs: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return self.collector.register("job", self.outputs(**specs))

    def write(self, path: str, content: bytes = b"x") -> Path:
        place = self.folder.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return place


@pytest.fixture
def collected(workspace: JobWorkspace) -> Collected:
    return Collected(workspace)


def test_artifacts_are_what_is_below_outputs_and_logs(workspace: JobWorkspace, collected: Collected) -> None:
    for path in ("work/outputs/model/MLmodel", "work/logs/a.txt", "work/other/b.txt", "work/c.txt"):
        collected.write(path)
    collected.collector.artifacts("job", collected.folder, collected.logged.append)
    names = [blob.name for blob in workspace.blobs.list("azureml")]
    assert names == ["ExperimentRun/dcid.job/logs/a.txt", "ExperimentRun/dcid.job/outputs/model/MLmodel"]


def test_a_job_that_left_nothing_has_no_artifacts(workspace: JobWorkspace, collected: Collected) -> None:
    collected.collector.artifacts("job", JobFolder(collected.folder.root / "gone"), collected.logged.append)
    collected.collector.log("job", JobFolder(collected.folder.root / "gone"))
    assert workspace.blobs.list("azureml") == []


def test_an_output_that_is_written_directly_is_where_its_uri_says(collected: Collected) -> None:
    kept = collected.outputs(y={"mode": "Direct"}, z={"mode": "Direct", "jobOutputType": "uri_file"})
    place = "azureml://datastores/workspaceblobstore/paths/azureml/job"
    assert [kept[name]["uri"] for name in "yz"] == [f"{place}/y/", f"{place}/z"]
    assert collected.logged == [f"output {name}: the command writes to its URI itself" for name in "yz"]


def test_the_log_is_kept_as_text(workspace: JobWorkspace, collected: Collected) -> None:
    collected.folder.log.write_bytes(b"hello\n\xff")
    collected.collector.log("job", collected.folder)
    blob = workspace.blobs.require("azureml", "ExperimentRun/dcid.job/user_logs/std_log.txt")
    assert (blob.content_type, workspace.artifact("user_logs/std_log.txt")) == ("text/plain", b"hello\n\xff")


def test_a_link_out_of_the_jobs_folder_is_not_uploaded_and_logged(
    workspace: JobWorkspace, collected: Collected, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    collected.write("work/outputs/a.txt")
    (collected.folder.work / "outputs" / "leak").symlink_to(secret)
    collected.collector.artifacts("job", collected.folder, collected.logged.append)
    assert [blob.name for blob in workspace.blobs.list("azureml")] == ["ExperimentRun/dcid.job/outputs/a.txt"]
    assert collected.logged == [
        f"work/outputs/leak was not kept: it leads out of the job's folder, to {secret.resolve()}"
    ]


def test_a_folder_output_is_all_that_is_in_it(workspace: JobWorkspace, collected: Collected) -> None:
    collected.write("outputs/y/sub/a.txt", b"a")
    uris = {name: spec["uri"] for name, spec in collected.outputs(y={}).items()}
    assert uris == {"y": "azureml://datastores/workspaceblobstore/paths/azureml/job/y/"}
    assert workspace.data("azureml/job/y/sub/a.txt") == b"a"


def test_a_file_output_is_the_file_that_the_command_wrote(workspace: JobWorkspace, collected: Collected) -> None:
    collected.write("outputs/y", b"a")
    uris = {name: spec["uri"] for name, spec in collected.outputs(y={"jobOutputType": "uri_file"}).items()}
    assert uris == {"y": "azureml://datastores/workspaceblobstore/paths/azureml/job/y"}
    assert workspace.data("azureml/job/y") == b"a"


def test_an_output_goes_where_it_was_asked_to_go(workspace: JobWorkspace, collected: Collected) -> None:
    collected.write("outputs/y/a.txt", b"a")
    collected.outputs(y={"uri": "azureml://datastores/workspaceblobstore/paths/kept/here/"})
    assert workspace.data("kept/here/a.txt") == b"a"


def test_an_output_to_a_datastore_that_is_gone_is_named(collected: Collected) -> None:
    with pytest.raises(NotFound, match="elsewhere"):
        collected.outputs(y={"uri": "azureml://datastores/elsewhere/paths/x"})


def test_an_output_without_content_is_logged_and_has_no_uri(collected: Collected) -> None:
    (collected.folder.outputs / "y").mkdir()
    assert collected.outputs(y={}, z={"jobOutputType": "uri_file"}) == {}
    assert collected.logged == [f"output {name}: the command left nothing there" for name in ("y", "z")]


def test_an_output_that_names_an_asset_becomes_its_next_version(workspace: JobWorkspace, collected: Collected) -> None:
    collected.write("outputs/y/a.txt")
    workspace.stores.data.put("clean", "4", {"dataUri": "https://example.org/x", "dataType": "uri_folder"})
    assert collected.registered(y={"assetName": "clean"})["y"]["assetVersion"] == "5"
    kept = workspace.stores.data.get("clean", "5").body["properties"]
    assert kept["dataUri"].endswith("/datastores/workspaceblobstore/paths/azureml/job/y/")


def test_an_output_may_name_the_version_of_its_asset(workspace: JobWorkspace, collected: Collected) -> None:
    collected.write("outputs/y", b"x")
    spec = {"assetName": "clean", "assetVersion": "v1", "jobOutputType": "uri_file", "description": "Cleaned"}
    assert collected.registered(y=spec)["y"]["assetVersion"] == "v1"
    kept = workspace.stores.data.get("clean", "v1").body["properties"]
    assert (kept["dataType"], kept["description"]) == ("uri_file", "Cleaned")


def test_a_model_output_becomes_a_model_of_the_job(workspace: JobWorkspace, collected: Collected) -> None:
    collected.write("outputs/m/MLmodel")
    collected.registered(m={"assetName": "diabetes", "jobOutputType": "mlflow_model"})
    kept = workspace.stores.models.get("diabetes", "1").body["properties"]
    assert (kept["modelType"], kept["jobName"]) == ("mlflow_model", "job")


def test_an_output_without_an_asset_name_registers_nothing(workspace: JobWorkspace, collected: Collected) -> None:
    collected.write("outputs/y/a.txt")
    assert collected.registered(y={})["y"]["assetVersion"] is None
    assert workspace.stores.data.containers().read() == []


def test_an_asset_version_that_is_taken_is_a_conflict(workspace: JobWorkspace, collected: Collected) -> None:
    workspace.stores.data.put("clean", "1", {"dataUri": "https://example.org/x", "dataType": "uri_folder"})
    collected.write("outputs/y/a.txt")
    with pytest.raises(Conflict):
        collected.registered(y={"assetName": "clean", "assetVersion": "1"})


def test_a_job_that_is_forgotten_leaves_its_neighbours_artifacts(workspace: JobWorkspace, collected: Collected) -> None:
    for name in ("job", "job2"):
        workspace.blobs.put_bytes("azureml", f"ExperimentRun/dcid.{name}/outputs/a", b"a")
    collected.collector.forget("job")
    assert [blob.name for blob in workspace.blobs.list("azureml")] == ["ExperimentRun/dcid.job2/outputs/a"]


def grants(workspace: JobWorkspace, **job: Any) -> JobPermissions:
    workspace.jobs.create("mine", accepted(workspace.context, "mine", **job))
    return JobPermissions(
        workspace.context.identity, workspace.jobs, workspace.stores.lookup(), workspace.stores.datastores
    )


def test_inputs_are_read_and_no_neighbour_of_theirs(workspace: JobWorkspace) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/data/mine"
    found = grants(workspace, inputs={"x": {"jobInputType": "uri_folder", "uri": uri}})
    container = workspace.stores.datastores.container_of("workspaceblobstore")
    assert found.permissions("mine", container, "data/mine") == READ
    assert found.permissions("mine", container, "data/mine/a/b.csv") == READ
    for other in ("data/mine2", "data/mine2/x", "data", "data/", "", "/", "mine"):
        assert found.permissions("mine", container, other) == frozenset()
    assert found.permissions("mine", "azureml", "data/mine") == frozenset()
    assert found.permissions("other", container, "data/mine") == frozenset()


def test_outputs_and_artifacts_are_written(workspace: JobWorkspace) -> None:
    found = grants(workspace, outputs={"model": {}})
    container = workspace.stores.datastores.container_of("workspaceblobstore")
    assert found.permissions("mine", container, "azureml/mine/model/weights") == WRITE
    assert found.permissions("mine", "azureml", "ExperimentRun/dcid.mine/outputs/x") == WRITE
    assert found.permissions("mine", "azureml", "ExperimentRun/dcid.mine2/outputs/x") == frozenset()
    assert found.permissions("mine", container, "azureml/other/model/weights") == frozenset()


def test_an_input_that_is_gone_opens_nothing(workspace: JobWorkspace) -> None:
    found = grants(workspace, inputs={"x": {"jobInputType": "uri_file", "uri": "azureml:gone:1"}})
    assert found.permissions("mine", "azureml", "x") == frozenset()


@given(path=st.text("ab/.", max_size=12), root=st.text("ab", min_size=1, max_size=3))
def test_what_opens_is_the_root_or_below_it(path: str, root: str) -> None:
    from amlocal.datastores.store import Location  # noqa: PLC0415
    from amlocal.jobs.outputs import _holds  # noqa: PLC0415

    below = path == root or path.startswith(root + "/")
    assert _holds(Location("c", root), "c", path) == below
