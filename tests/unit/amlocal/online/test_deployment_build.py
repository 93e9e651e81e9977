"""What a deployment is checked for, and what it is made from: real stores, this interpreter as every environment."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amlocal.assembly.stores import Stores, open_stores
from amlocal.blobs import BlobStore
from amlocal.core.context import Context, Identity
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.core.errors import ApiError
from amlocal.jobs.preparation import JobInputs
from amlocal.online.deployment_build import BuildSettings, DeploymentBuild, DeploymentBuilder, check_servable
from amlocal.online.errors import RolloutFailed
from amlocal.online.operation_responses import with_defaults
from amlocal.runtimes import CondaFile, Runtime
from amlocal.runtimes.runtime import current_runtime
from tests.unit.amlocal.blobs.wire import CountingIds, ManualClock

FULL = '{"dependencies": ["python", {"pip": ["azureml-inference-server-http", "azureml-ai-monitoring"]}]}'
BARE = '{"dependencies": ["python", {"pip": ["packaging"]}]}'
SCRIPT = {"codeId": "azureml:c:1", "scoringScript": "src/score.py"}


@dataclass
class Shelf:
    """The stores of a workspace, and the images that are made from them."""

    stores: Stores
    images: DeploymentBuilder
    folder: Path
    said: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def put(self, path: str, text: str = "") -> str:
        """Put a file into the default datastore; return its URI."""
        source = self.folder / "file"
        source.write_text(text)
        self.stores.blobs.put_file(self.stores.datastores.container_of("workspaceblobstore"), path, source)
        return f"azureml://datastores/workspaceblobstore/paths/{path}"

    def model(self, kind: str = "mlflow_model", **files: str) -> str:
        """Register a model of these files (`__` for a dot); return its reference."""
        for name, text in files.items():
            self.put(f"models/m/{name.replace('__', '.')}", text)
        uri = "azureml://datastores/workspaceblobstore/paths/models/m"
        self.stores.models.put("m", "1", {"modelUri": uri, "modelType": kind})
        return "azureml:m:1"

    def code(self, *files: str) -> dict[str, str]:
        for name in files:
            self.put(f"code/{name}", "pass")
        self.stores.codes.put("c", "1", {"codeUri": "azureml://datastores/workspaceblobstore/paths/code"})
        return SCRIPT

    def environment(self) -> str:
        self.stores.environments.put("e", "1", {"image": "ubuntu"})
        return "azureml:e:1"

    def prepare(self, **properties: Any) -> DeploymentBuild:
        return self.images.prepare(
            with_defaults(properties),
            self.folder / "version",
            say=self.said.append,
            fetched=self.fetched.append,
            stop=threading.Event(),
        )


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    yield from open_shelf(tmp_path, lenient=False)


@pytest.fixture
def lenient(tmp_path: Path) -> Iterator[Shelf]:
    yield from open_shelf(tmp_path, lenient=True)


IDENTITY = Identity("s", "g", "w", "guid")


def open_shelf(folder: Path, *, lenient: bool) -> Iterator[Shelf]:
    database, clock, ids = Database(folder / "w.db"), ManualClock(), CountingIds()
    context = Context(IDENTITY, "https://here", Documents(database), clock, ids)
    stores = open_stores(context, BlobStore(folder / "chunks", database, clock, ids))
    lookup = stores.lookup()

    def prepare_environment(reference: str, layer: Path, log: Any, stop: threading.Event) -> Runtime:
        log(f"environment {reference}")
        return current_runtime()

    building = BuildSettings(
        cache=folder / "cache",
        strict=False,
        lenient=lenient,
        prepare_environment=prepare_environment,
        fetch_code=JobInputs(lookup, stores.blobs).fetch_code,
        machine={"PATH": "/bin", "HOME": "/home"},
    )
    yield Shelf(stores, DeploymentBuilder(lookup, stores.blobs, building), folder)
    database.close()


def test_a_no_code_deployment_runs_the_model_in_its_own_environment(shelf: Shelf) -> None:
    image = shelf.prepare(model=shelf.model(MLmodel="flavors: {}", conda__yaml=FULL), environmentVariables={"A": "1"})
    assert not image.is_script
    assert Path(image.command[-1]) == shelf.folder / "version" / "model" / "m"
    assert (Path(image.command[-1]) / "MLmodel").is_file()
    assert image.environ["AZUREML_MODEL_DIR"] == str(shelf.folder / "version" / "model")
    assert (image.environ["A"], image.environ["HOME"]) == ("1", "/home")
    assert "2 files" in shelf.fetched[0]
    expected = hashlib.sha256((Path(image.command[-1]) / "MLmodel").read_bytes()).hexdigest()
    assert f'sha256 {expected} "m/MLmodel"' in shelf.fetched
    assert len(shelf.fetched) == 3


def test_a_file_name_cannot_look_like_another_line_of_what_was_fetched(shelf: Shelf) -> None:
    forged = f'a\nsha256 {"0" * 64} "m/MLmodel"'
    model = shelf.model(MLmodel="flavors: {}", conda__yaml=FULL, **{forged: "x"})
    shelf.prepare(model=model)
    assert all("\n" not in line for line in shelf.fetched)


def test_a_no_code_deployment_may_name_its_environment(shelf: Shelf) -> None:
    model = shelf.model(MLmodel="flavors: {}", conda__yaml=BARE)
    shelf.prepare(model=model, environmentId=shelf.environment())
    assert shelf.said == ["environment azureml:e:1"]


def test_requirements_stand_in_for_a_conda_file(lenient: Shelf) -> None:
    image = lenient.prepare(model=lenient.model(MLmodel="flavors: {}", requirements__txt="packaging\n"))
    assert Path(image.command[0]).exists()


def test_an_environment_that_azure_could_not_serve_is_refused_unless_told_otherwise(shelf: Shelf) -> None:
    with pytest.raises(RolloutFailed, match="azureml_inference_server_http"):
        shelf.prepare(model=shelf.model(MLmodel="flavors: {}", conda__yaml=BARE))


def test_told_otherwise_it_is_served(lenient: Shelf) -> None:
    assert lenient.prepare(model=lenient.model(MLmodel="flavors: {}", conda__yaml=BARE)).command


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"conda__yaml": FULL}, "no file MLmodel"),
        ({"MLmodel": "flavors: {}"}, "neither conda.yaml nor requirements.txt"),
        ({}, "are not there"),
        ({"MLmodel": "flavors: {}", "conda__yaml": "x" * 2**21}, "built: conda.yaml is longer than"),
        ({"MLmodel": "flavors: {}", "requirements__txt": "x" * 2**21}, "built: requirements.txt is longer than"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_model_that_cannot_be_served_fails_with_the_reason(shelf: Shelf, files: dict[str, str], reason: str) -> None:
    with pytest.raises(RolloutFailed, match=reason):
        shelf.prepare(model=shelf.model(**files))


def test_a_model_that_is_one_file_is_found_under_its_name(shelf: Shelf) -> None:
    shelf.put("models/one.pkl", "pickled")
    uri = "azureml://datastores/workspaceblobstore/paths/models/one.pkl"
    shelf.stores.models.put("m", "1", {"modelUri": uri, "modelType": "custom_model"})
    code = shelf.code("src/score.py")
    image = shelf.prepare(model="azureml:m:1", codeConfiguration=code, environmentId=shelf.environment())
    assert (Path(image.environ["AZUREML_MODEL_DIR"]) / "one.pkl").read_text() == "pickled"


def test_a_model_elsewhere_cannot_be_fetched(shelf: Shelf) -> None:
    shelf.stores.models.put("m", "1", {"modelUri": "https://elsewhere/m", "modelType": "mlflow_model"})
    with pytest.raises(RolloutFailed, match="https://elsewhere/m"):
        shelf.prepare(model="azureml:m:1")


def test_a_script_runs_in_its_folder_and_environment(shelf: Shelf) -> None:
    code = shelf.code("src/score.py", "src/helper.py")
    image = shelf.prepare(codeConfiguration=code, environmentId=shelf.environment())
    assert (image.is_script, image.folder) == (True, shelf.folder / "version" / "code" / "src")
    assert image.environ["AML_APP_ROOT"] == str(image.folder)
    assert (image.folder / "helper.py").is_file()
    assert shelf.said == ["environment azureml:e:1"]
    assert "2 files" in shelf.fetched[0]


@pytest.mark.parametrize("script", ["score.py", "src", "../file", "/etc/passwd"])
def test_a_script_that_is_not_in_the_code_fails_before_the_environment_is_built(shelf: Shelf, script: str) -> None:
    code = shelf.code("src/score.py") | {"scoringScript": script}
    with pytest.raises(RolloutFailed, match="not in the code"):
        shelf.prepare(codeConfiguration=code, environmentId=shelf.environment())
    assert shelf.said == []


@pytest.mark.parametrize("model", ["azureml:m:1", "azureml:m@latest", f"{IDENTITY.arm_id}/models/m/versions/1"])
def test_a_model_is_known_by_each_of_its_references(shelf: Shelf, model: str) -> None:
    shelf.model(MLmodel="flavors: {}", conda__yaml=FULL)
    shelf.images.check(with_defaults({"model": model}))
    assert shelf.prepare(model=model).command


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"model": "azureml:other:1"}, "not found"),
        ({"model": "m"}, "not the id of a model"),
        ({"model": None}, "needs a model of type mlflow_model"),
        ({"model": "azureml:plain:1"}, "needs a model of type mlflow_model"),
        ({"codeConfiguration": SCRIPT}, "needs an environment"),
        ({"codeConfiguration": {"codeId": "azureml:x:1", "scoringScript": "s"}, "environmentId": "azureml:e:1"}, "x"),
        ({"codeConfiguration": SCRIPT, "environmentId": "azureml:f:1"}, "f"),
    ],
)
def test_what_could_never_start_is_refused_at_once(shelf: Shelf, properties: dict[str, Any], reason: str) -> None:
    shelf.model(MLmodel="flavors: {}")
    shelf.stores.models.put("plain", "1", {"modelUri": "https://e/m", "modelType": "custom_model"})
    shelf.code("src/score.py")
    shelf.environment()
    with pytest.raises(ApiError, match=reason):
        shelf.images.check(with_defaults({"model": "azureml:m:1", **properties}))


@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize("model", ["azureml:m:1", None])
def test_a_custom_container_is_named_as_what_is_not_served(shelf: Shelf, scripted: bool, model: str | None) -> None:
    shelf.model(MLmodel="flavors: {}")
    inference = {"livenessRoute": {"path": "/live", "port": 8501}, "scoringRoute": {"path": "/v1", "port": 8501}}
    shelf.stores.environments.put("own", "1", {"image": "docker.io/tensorflow/serving", "inferenceConfig": inference})
    code = shelf.code("src/score.py") if scripted else None
    given = {"model": model, "codeConfiguration": code, "environmentId": "azureml:own:1"}
    with pytest.raises(ApiError, match=r"Custom containers are not served by amlocal yet: .*'own:1'") as refused:
        shelf.images.check(with_defaults(given))
    assert refused.value.status == 501


def test_what_can_start_passes(shelf: Shelf) -> None:
    code, environment = shelf.code("src/score.py"), shelf.environment()
    shelf.images.check(with_defaults({"codeConfiguration": code, "environmentId": environment}))


@pytest.mark.parametrize(
    "pip",
    [
        ("azureml-inference-server-http==1.4.1", "azureml-ai-monitoring"),
        ("AzureML_Inference_Server_HTTP", "azureml.ai.monitoring>=1"),
        ("azureml-defaults", "azureml-ai-monitoring", "--no-binary=x", "# a comment", "./folder"),
    ],
)
def test_packages_count_however_they_are_spelled(pip: tuple[str, ...]) -> None:
    check_servable(CondaFile(pip=pip))


@pytest.mark.parametrize(
    ("pip", "module"),
    [
        ((), "azureml_inference_server_http"),
        (("azureml-ai-monitoring",), "azureml_inference_server_http"),
        (("azureml-inference-server-http",), "azureml.ai.monitoring"),
        (("# azureml-inference-server-http", "azureml-ai-monitoring"), "azureml_inference_server_http"),
    ],
)
def test_the_module_that_azures_script_would_miss_is_named(pip: tuple[str, ...], module: str) -> None:
    with pytest.raises(RolloutFailed, match=f"No module named '{module}'"):
        check_servable(CondaFile(pip=pip))
