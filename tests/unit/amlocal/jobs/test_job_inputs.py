import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from amlocal.core.errors import AmlocalError, NotFound
from amlocal.jobs.preparation import JobEnvironments, JobInputs, file_name
from amlocal.jobs.status import Interrupted, JobFailure
from amlocal.runtimes import Runtime
from tests.unit.amlocal.jobs.workspace import ENVIRONMENT, IDENTITY, JobWorkspace


def spec(uri: str, kind: str = "uri_folder", mode: str = "ReadOnlyMount") -> dict[str, Any]:
    return {"jobInputType": kind, "uri": uri, "mode": mode}


class Materialised:
    """One job's inputs, and what was logged."""

    def __init__(self, workspace: JobWorkspace, folder: Path) -> None:
        self.inputs = JobInputs(workspace.stores.lookup(), workspace.blobs)
        self.folder = folder
        self.logged: list[str] = []

    def __call__(self, stop: threading.Event | None = None, **specs: dict[str, Any]) -> dict[str, Path]:
        found = self.inputs.materialise(specs, self.folder, self.logged.append, stop or threading.Event())
        return {name: Path(value) for name, value in found.items()}


@pytest.fixture
def materialise(workspace: JobWorkspace) -> Materialised:
    return Materialised(workspace, workspace.job_folder().inputs)


def test_a_literal_is_its_value(materialise: Materialised) -> None:
    assert materialise(x={"jobInputType": "literal", "value": "0.1"}) == {"x": Path("0.1")}


def test_a_file_is_a_copy_of_its_blob(workspace: JobWorkspace, materialise: Materialised) -> None:
    found = materialise(data=spec(workspace.put_data("d/diabetes.csv", b"a,b\n"), "uri_file"))["data"]
    assert (found.name, found.read_bytes()) == ("diabetes.csv", b"a,b\n")


def test_a_folder_is_all_below_it_and_no_neighbour(workspace: JobWorkspace, materialise: Materialised) -> None:
    workspace.put_data("m/model/MLmodel", b"m")
    workspace.put_data("m/model/data/x", b"x")
    workspace.put_data("m/model2/MLmodel", b"other")
    found = materialise(model=spec("azureml://datastores/workspaceblobstore/paths/m/model/", "mlflow_model"))["model"]
    files = sorted(path.relative_to(found).as_posix() for path in found.rglob("*") if path.is_file())
    assert (found.name, files) == ("model", ["MLmodel", "data/x"])


def test_a_whole_datastore_can_be_an_input(workspace: JobWorkspace, materialise: Materialised) -> None:
    workspace.put_data("a/b", b"c")
    found = materialise(all=spec("azureml://datastores/workspaceblobstore/paths/"))["all"]
    assert (found / "a" / "b").read_bytes() == b"c"


def test_the_mark_of_a_folder_is_not_taken_for_a_file(workspace: JobWorkspace, materialise: Materialised) -> None:
    workspace.put_data("d/x", b"x")
    container = workspace.stores.datastores.default_container
    workspace.blobs.put_bytes(container, "d", b"", metadata={"hdi_isfolder": "true"})
    assert (materialise(d=spec("azureml://datastores/workspaceblobstore/paths/d"))["d"] / "x").read_bytes() == b"x"


def test_a_data_asset_is_what_its_uri_points_to(workspace: JobWorkspace, materialise: Materialised) -> None:
    uri = workspace.put_data("d/x.csv", b"x")
    workspace.stores.data.put("diabetes", "1", {"dataUri": uri, "dataType": "uri_file"})
    asset = f"{workspace.context.arm}/data/diabetes/versions/1"
    assert materialise(data=spec(asset, "uri_file"))["data"].read_bytes() == b"x"


def test_what_another_job_left_can_be_an_input(workspace: JobWorkspace, materialise: Materialised) -> None:
    workspace.submit("first")
    workspace.blobs.put_bytes("azureml", "ExperimentRun/dcid.first/model/MLmodel", b"m")
    uri = "azureml://jobs/first/outputs/artifacts/paths/model/"
    assert (materialise(model=spec(uri))["model"] / "MLmodel").read_bytes() == b"m"


def test_an_input_that_is_not_there_says_where_it_was_looked_for(materialise: Materialised) -> None:
    with pytest.raises(JobFailure, match=r"The input data is empty: there is no blob at 'nowhere' in container"):
        materialise(data=spec("azureml://datastores/workspaceblobstore/paths/nowhere"))


def test_an_unknown_datastore_is_named(materialise: Materialised) -> None:
    with pytest.raises(NotFound, match="Could not find datastore: elsewhere"):
        materialise(data=spec("azureml://datastores/elsewhere/paths/x"))


@pytest.mark.parametrize("mode", ["ReadOnlyMount", "Download", "EvalMount", "EvalDownload"])
def test_inputs_are_read_only(workspace: JobWorkspace, materialise: Materialised, mode: str) -> None:
    workspace.put_data("d/sub/x", b"x")
    found = materialise(d=spec("azureml://datastores/workspaceblobstore/paths/d", mode=mode))["d"]
    for path in (found.parent, found, found / "sub", found / "sub" / "x"):
        assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_a_job_that_changes_its_copy_changes_nothing_in_the_store(
    workspace: JobWorkspace, materialise: Materialised
) -> None:
    uri = workspace.put_data("d/x", b"x" * 100_000)
    copy = materialise(d=spec(uri, "uri_file"))["d"]
    copy.chmod(0o644)  # what a job may do, and root need not
    with copy.open("r+b") as file:
        file.write(b"spoilt")
    assert workspace.data("d/x") == b"x" * 100_000


def test_a_writable_mount_is_a_writable_copy_and_says_so(workspace: JobWorkspace, materialise: Materialised) -> None:
    found = materialise(d=spec(workspace.put_data("d/x", b"x"), "uri_file", "ReadWriteMount"))["d"]
    assert os.access(found, os.W_OK)
    assert materialise.logged == ["input d: a writable copy; what the job changes in it is not written back"]


LONG = "azureml://subscriptions/sub/resourcegroups/group/workspaces/ws/datastores/workspaceblobstore/paths"


@pytest.mark.parametrize(
    ("uri", "kind", "opened"),
    [
        ("azureml://datastores/workspaceblobstore/paths/x", "uri_file", f"{LONG}/x"),
        ("azureml://datastores/workspaceblobstore/paths/x/", "uri_folder", f"{LONG}/x/"),
        (f"{LONG}/x/y.csv", "uri_file", f"{LONG}/x/y.csv"),
        ("azureml:table:1", "mltable", f"{LONG}/tables/t/"),
        ("azureml:table@latest", "mltable", f"{LONG}/tables/t/"),
        (f"{IDENTITY.arm_id}/data/table/versions/1", "mltable", f"{LONG}/tables/t/"),
        (f"{IDENTITY.arm_id}/data/azureml:table/versions/1", "mltable", f"{LONG}/tables/t/"),
        ("azureml:file:1", "uri_file", f"{LONG}/one.csv"),
        (f"{IDENTITY.arm_id}/models/m/versions/1", "mlflow_model", f"{LONG}/models/m"),
        ("azureml:far:1", "uri_file", "https://example.org/a.csv"),
        ("https://example.org/a.csv", "uri_file", "https://example.org/a.csv"),
    ],
)
def test_a_direct_input_is_the_uri_of_its_storage(
    workspace: JobWorkspace, materialise: Materialised, uri: str, kind: str, opened: str
) -> None:
    place = "azureml://datastores/workspaceblobstore/paths"
    workspace.stores.data.put("table", "1", {"dataUri": f"{place}/tables/t", "dataType": "mltable"})
    workspace.stores.data.put("file", "1", {"dataUri": f"{place}/one.csv", "dataType": "uri_file"})
    workspace.stores.data.put("far", "1", {"dataUri": "https://example.org/a.csv", "dataType": "uri_file"})
    workspace.stores.models.put("m", "1", {"modelUri": f"{place}/models/m", "modelType": "mlflow_model"})
    specs = {"d": spec(uri, kind, mode="Direct")}
    assert materialise.inputs.materialise(specs, materialise.folder, print, threading.Event()) == {"d": opened}
    assert list(materialise.folder.iterdir()) == []  # nothing is copied


def test_a_direct_input_that_is_not_there_is_named(materialise: Materialised) -> None:
    with pytest.raises(NotFound, match="missing:1"):
        materialise(d=spec("azureml:missing:1", mode="Direct"))


def test_an_inputs_folder_is_called_as_on_azure(workspace: JobWorkspace, materialise: Materialised) -> None:
    found = materialise(data=spec(workspace.put_data("d/x.csv", b"x"), "uri_file"))["data"]
    assert found.parent.name == "INPUT_data"


def test_a_job_that_is_to_stop_fetches_no_further(materialise: Materialised) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        materialise(stop, d=spec("azureml://datastores/workspaceblobstore/paths/x"))


def test_hundreds_of_inputs_are_as_many_paths(workspace: JobWorkspace, materialise: Materialised) -> None:
    uri = workspace.put_data("d/x", b"x")
    specs: dict[str, Any] = {f"i{number}": spec(uri, "uri_file") for number in range(300)}
    assert len({path.parent for path in materialise(**specs).values()}) == 300


def snapshot(workspace: JobWorkspace, uri: str) -> str:
    workspace.stores.codes.put("snap", "1", {"codeUri": uri})
    return f"{workspace.context.arm}/codes/snap/versions/1"


def test_a_snapshot_fills_the_working_folder(workspace: JobWorkspace, materialise: Materialised) -> None:
    for name in ("main.py", "pkg/mod.py"):
        workspace.blobs.put_bytes("azureml", f"snap/src/{name}", name.encode())
    code = snapshot(workspace, "https://127.0.0.1:8443/devstore.blob.core.windows.net/azureml/snap/src")
    materialise.inputs.fetch_code(code, materialise.folder)
    assert (materialise.folder / "pkg" / "mod.py").read_bytes() == b"pkg/mod.py"
    assert (materialise.folder / "main.py").read_bytes() == b"main.py"


def test_a_snapshot_may_be_a_single_file(workspace: JobWorkspace, materialise: Materialised) -> None:
    workspace.blobs.put_bytes("azureml", "snap/main.py", b"print()")
    code = snapshot(workspace, "https://127.0.0.1:8443/devstore.blob.core.windows.net/azureml/snap/main.py")
    materialise.inputs.fetch_code(code, materialise.folder)
    assert (materialise.folder / "main.py").read_bytes() == b"print()"


def test_an_empty_snapshot_is_a_clear_failure(workspace: JobWorkspace, materialise: Materialised) -> None:
    code = snapshot(workspace, "https://127.0.0.1:8443/devstore.blob.core.windows.net/azureml/nothing")
    with pytest.raises(JobFailure, match=r"code snapshot at .* is empty"):
        materialise.inputs.fetch_code(code, materialise.folder)


def test_a_snapshot_on_another_machine_is_a_clear_failure(workspace: JobWorkspace, materialise: Materialised) -> None:
    code = snapshot(workspace, "https://example.org/snap")
    with pytest.raises(JobFailure, match="not in this workspace's storage"):
        materialise.inputs.fetch_code(code, materialise.folder)


@pytest.mark.parametrize("uri", ["wasbs://c@acc.blob.core.windows.net/", "abfss://fs@acc.dfs.core.windows.net/a/"])
def test_a_folder_in_azures_storage_is_named_as_what_is_not_read(materialise: Materialised, uri: str) -> None:
    with pytest.raises(JobFailure, match=r"The input data is the folder .* in Azure's storage"):
        materialise(data=spec(uri))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/b.csv", "b.csv"),
        ("https://h/a/", "a"),
        ("https://h", "content"),
        ("https://h/..", "content"),
        ("https://h/a%2F..%2Fb", "content"),
        ("https://h/%00", "content"),
        ("https://h/%C3%BC.csv", "\u00fc.csv"),
    ],
)
def test_no_url_names_a_file_elsewhere(url: str, name: str) -> None:
    assert file_name(url) == name


class Environments:
    """A job's environment, and what is logged."""

    def __init__(self, workspace: JobWorkspace) -> None:
        self.workspace = workspace
        self.logged: list[str] = []

    def prepare(self, reference: str) -> Runtime:
        environments = JobEnvironments(
            self.workspace.stores.lookup(), self.workspace.blobs, cache=self.workspace.folder.environments, strict=False
        )
        layer = self.workspace.job_folder().layer
        return environments.prepare(reference, layer, self.logged.append, threading.Event())

    def put(self, **properties: Any) -> str:
        self.workspace.stores.environments.put("train", "1", properties)
        return f"{self.workspace.context.arm}/environments/train/versions/1"


@pytest.fixture
def environments(workspace: JobWorkspace) -> Environments:
    return Environments(workspace)


def test_a_curated_environment_is_a_layer_over_the_current_interpreter(environments: Environments) -> None:
    runtime = environments.prepare(ENVIRONMENT)
    assert runtime.prefix == environments.workspace.folder.jobs / "job" / "layer"
    assert runtime.python.exists()
    assert "curated environment" in environments.logged[0]


def test_an_environment_that_only_names_an_image_says_what_it_runs_on(environments: Environments) -> None:
    environments.prepare(environments.put(image="example.org/base:1"))
    assert "example.org/base:1" in environments.logged[0]


def test_what_a_conda_file_asks_for_is_looked_at(environments: Environments) -> None:
    conda = "dependencies: [python, pip, {pip: [pytest>=7]}]"
    assert environments.prepare(environments.put(image="i", condaFile=conda)).python.exists()


def test_a_conda_file_that_cannot_be_read_is_a_clear_failure(environments: Environments) -> None:
    with pytest.raises(AmlocalError):
        environments.prepare(environments.put(image="i", condaFile="dependencies: {a: b}"))


def test_a_build_context_is_read_from_where_it_was_uploaded(environments: Environments) -> None:
    environments.workspace.put_data("ctx/Dockerfile", b"FROM example.org/base:2\n")
    place = "azureml://datastores/workspaceblobstore/paths/ctx/"
    environments.prepare(environments.put(build={"contextUri": place, "dockerfilePath": "Dockerfile"}))
    assert "example.org/base:2" in environments.logged[0]


@pytest.mark.parametrize(
    "place", ["azureml://datastores/workspaceblobstore/paths/gone/", "https://example.org/context/"]
)
def test_a_build_context_that_is_not_there_is_a_clear_failure(environments: Environments, place: str) -> None:
    reference = environments.put(build={"contextUri": place, "dockerfilePath": "Dockerfile"})
    with pytest.raises(JobFailure, match="The build context of environment train:1 is not there"):
        environments.prepare(reference)


def test_an_environment_that_is_gone_is_not_found(environments: Environments) -> None:
    with pytest.raises(NotFound):
        environments.prepare("azureml:train:1")
