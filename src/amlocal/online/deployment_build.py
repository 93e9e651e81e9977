"""What a deployment needs before its process can start: model, environment, code; what Azure builds as an image."""

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from amlocal.assets.lookup import AssetLookup, RemoteLocation
from amlocal.blobs import BlobStore
from amlocal.core.decoding import read_definition
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.unserved import not_served
from amlocal.jobs.process import Sandbox
from amlocal.online.errors import RolloutFailed
from amlocal.online.rules import ignored_settings
from amlocal.online.swagger import describe_model
from amlocal.online_scoring import launch, script_server
from amlocal.runtimes import CondaFile, EnvironmentSpec, Runtime, create_layer, environ, parse_conda, resolve
from amlocal.runtimes.runtime import Log

# azureml's scoring script of no-code deployments runs under the first and imports the second (azureml-examples pull
# requests 3902 and 3916); azureml-defaults brings the first along.
_NEEDED = {
    "azureml-inference-server-http": ("azureml_inference_server_http", {"azureml-defaults"}),
    "azureml-ai-monitoring": ("azureml.ai.monitoring", set[str]()),
}

_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

PrepareEnvironment = Callable[[str, Path, Log, threading.Event], Runtime]
FetchCode = Callable[[str, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """How environments are made and code is fetched.

    `cache` keeps what was built, `strict` refuses a Python version that is not installed, `machine` is what
    deployments see of this machine's environment variables. With `lenient`, a model may lack what Azure's own
    scoring script imports, and is asked in forms that this one does not take. `confine` keeps the processes of the
    deployment in a folder apart from the workspace's files.
    """

    cache: Path
    strict: bool
    lenient: bool
    prepare_environment: PrepareEnvironment
    fetch_code: FetchCode
    machine: Mapping[str, str]
    confine: Callable[[Path], Sandbox | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class DeploymentBuild:
    """How the processes of a deployment are started.

    `is_script` tells the user's own script from a no-code model, whose OpenAPI `document` this holds.
    """

    command: tuple[str, ...]
    environ: Mapping[str, str]
    folder: Path
    is_script: bool
    document: bytes = b""


class DeploymentBuilder:
    """Prepares the files, environment and command of deployments."""

    def __init__(self, lookup: AssetLookup, blobs: BlobStore, settings: BuildSettings) -> None:
        self._lookup = lookup
        self._blobs = blobs
        self._settings = settings

    def check(self, properties: Mapping[str, Any]) -> None:
        """Raise `ApiError` for references to what does not exist, or a deployment that could never start."""
        model, environment = properties["model"], properties["environmentId"]
        if environment and (document := self._lookup.environment(environment)):
            _check_environment(document)
        kind = self._model(model)["modelType"] if model else None
        if properties["codeConfiguration"]:
            self._lookup.code(properties["codeConfiguration"]["codeId"])
            if not environment:
                raise BadRequest("A deployment with a code configuration needs an environment.")
        elif kind != "mlflow_model":
            raise BadRequest(
                "A deployment without a code configuration needs a model of type mlflow_model; give a scoring script "
                "and an environment for any other."
            )

    def prepare(
        self, properties: Mapping[str, Any], folder: Path, *, say: Log, fetched: Log, stop: threading.Event
    ) -> DeploymentBuild:
        """Fill `folder` and return the build. Blocks; `stop` ends the build of an environment.

        `say` is told of the environment, `fetched` of what came from storage. Raises `AmlocalError` with the reason,
        `OSError`.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for line in ignored_settings(properties):
            say(line)
        build = self._fill(properties, folder, say, fetched, stop)
        confinement = self._settings.confine(folder)
        if confinement is None:
            return build
        variables = {**build.environ, **confinement.environ(folder / "tmp")}
        return replace(build, command=confinement.wrap(build.command), environ=variables)

    def _fill(
        self, properties: Mapping[str, Any], folder: Path, say: Log, fetched: Log, stop: threading.Event
    ) -> DeploymentBuild:
        model = self._fetch_model(properties["model"], folder / "model", fetched) if properties["model"] else None
        if properties["codeConfiguration"]:
            entry = self._fetch_script(properties["codeConfiguration"], folder / "code", fetched)
            runtime = self._settings.prepare_environment(properties["environmentId"], folder / "layer", say, stop)
            return self._script(properties, folder, entry, runtime)
        if model is None or not (model / "MLmodel").is_file():
            raise RolloutFailed(f"The model {properties['model']} holds no file MLmodel.")
        runtime = (
            self._settings.prepare_environment(properties["environmentId"], folder / "layer", say, stop)
            if properties["environmentId"]
            else self._model_environment(model, folder / "layer", say, stop)
        )
        options = ("--lenient",) if self._settings.lenient else ()
        command = (str(runtime.python), launch.__file__, *options, str(model))
        variables = self._environ(runtime, properties, folder)
        return DeploymentBuild(
            command, variables, folder, is_script=False, document=describe_model(model, lenient=self._settings.lenient)
        )

    def _script(self, properties: Mapping[str, Any], folder: Path, entry: Path, runtime: Runtime) -> DeploymentBuild:
        command = (str(runtime.python), script_server.__file__, str(entry))
        variables = self._environ(runtime, properties, folder) | {"AML_APP_ROOT": str(entry.parent)}
        return DeploymentBuild(command, variables, entry.parent, is_script=True)

    def _fetch_script(self, code: Mapping[str, str], work: Path, fetched: Log) -> Path:
        work.mkdir()
        self._settings.fetch_code(code["codeId"], work)
        fetched(f"Code {code['codeId']}: {_content(work)}.")
        entry = work / code["scoringScript"]
        if not entry.is_file() or not entry.resolve().is_relative_to(work.resolve()):
            raise RolloutFailed(f"The scoring script {code['scoringScript']} is not in the code of the deployment.")
        return entry

    def _environ(self, runtime: Runtime, properties: Mapping[str, Any], folder: Path) -> dict[str, str]:
        return environ(runtime, self._settings.machine) | {
            "AZUREML_MODEL_DIR": str(folder / "model"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PYTHONUNBUFFERED": "1",
            **properties["environmentVariables"],
        }

    def _model(self, reference: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self._lookup.model(reference).body["properties"]
        return properties

    def _fetch_model(self, reference: str, folder: Path, fetched: Log) -> Path:
        """Copy a model below `folder` under its own name, as Azure mounts it; return the path of the copy."""
        place = self._lookup.locate(self._model(reference)["modelUri"])
        if isinstance(place, RemoteLocation):
            raise RolloutFailed(f"The model at {place.url} is not in this workspace's storage.")
        target = folder / (place.path.rpartition("/")[2] or "model")
        folder.mkdir()
        blob = self._blobs.get(place.container, place.path)
        if blob is not None and not blob.marks_folder:
            self._blobs.fetch_file(place.container, place.path, target)
        elif self._blobs.fetch_tree(place.container, place.path, target) == 0:
            raise RolloutFailed(f"The files of the model {reference} are not there.")
        fetched(f"Model {reference}: {_content(folder)}.")
        for line in _checksums(folder):
            fetched(line)
        return target

    def _model_environment(self, model: Path, layer: Path, say: Log, stop: threading.Event) -> Runtime:
        conda = _model_conda(model)
        if not self._settings.lenient:
            check_servable(conda)
        spec = EnvironmentSpec(name=f"model {model.name}", conda_file=conda)
        runtime = resolve(spec, cache=self._settings.cache, strict=self._settings.strict, log=say, cancelled=stop)
        return create_layer(runtime, layer, self._settings.cache, log=say)


def _check_environment(document: Document) -> None:
    """Raise 501 for a custom container: an image with a server, routes and a port of its own."""
    if document.body["properties"].get("inferenceConfig"):
        raise not_served(
            "Custom containers",
            f"environment '{document.name}:{document.version}' has an inference_config, the routes of a server in its "
            "image. Deploy a scoring script or an MLflow model in an environment without one",
        )


def _content(folder: Path) -> str:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return f"{len(sizes)} files, {sum(sizes)} bytes"


def _checksums(folder: Path) -> Iterator[str]:
    """Yield `sha256 HEX "path"` of each file: whoever deploys can compare what came here with what they meant.

    The paths are JSON, so that none can look like another line.
    """
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield f"sha256 {digest} {json.dumps(path.relative_to(folder).as_posix())}"


def _model_conda(model: Path) -> CondaFile:
    file = model / "conda.yaml"
    if file.is_file():
        return parse_conda(_read(file))
    lines = model / "requirements.txt"
    if lines.is_file():
        return CondaFile(pip=tuple(_read(lines).splitlines()))
    raise RolloutFailed("The model has neither conda.yaml nor requirements.txt: its environment cannot be built.")


def _read(file: Path) -> str:
    try:
        return read_definition(file)
    except ValueError as error:
        raise RolloutFailed(f"The model's environment cannot be built: {error}.") from error


def check_servable(conda: CondaFile) -> None:
    """Raise `RolloutFailed` as Azure fails a no-code deployment whose environment lacks what its script imports."""
    names = {canonicalize_name(name) for name in map(_package_name, (*conda.pip, *conda.packages)) if name}
    for package, (module, others) in _NEEDED.items():
        if not names & {package, *others}:
            raise RolloutFailed(
                f"User container has crashed or terminated: ModuleNotFoundError: No module named '{module}'. The "
                f"environment of a no-code deployment is made from the model's own requirements, and they lack "
                f"{package}: log the model with it among its pip requirements."
            )


def _package_name(line: str) -> str:
    """Return the name of the package in a line of pip or conda, "" where there is none."""
    found = _PACKAGE.match(line)
    return found[0] if found else ""  # an option, a path or a comment
