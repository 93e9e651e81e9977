"""All that a job, or a deployment, needs before it starts: code, inputs and environment, and a job's variables."""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx

from amlocal.assets.lookup import AssetLookup, RemoteLocation, curated_name
from amlocal.blobs import BlobStore
from amlocal.core.context import Context
from amlocal.core.decoding import seconds
from amlocal.core.documents import Document
from amlocal.datastores.store import Location
from amlocal.identity.routes import OBO_PATH
from amlocal.jobs.bindings import substitute
from amlocal.jobs.distribution import JobProcess, job_processes, mpi_notice, without_job_variables
from amlocal.jobs.folder import JobFolder, WriteLog
from amlocal.jobs.outputs import DIRECT, planned_location
from amlocal.jobs.status import Interrupted, JobFailure
from amlocal.jobs.submission import ignored_settings
from amlocal.runtimes import BuildContext, EnvironmentSpec, Runtime, create_layer, parse_conda, resolve
from amlocal.runtimes import environ as runtime_environ

_WRITABLE = ("ReadWriteMount",)
_TIMEOUT_S = 60.0  # without a byte
# Azure ML's default, AMLToken, is the job's own; the others are identities with more rights.
_IDENTITIES = ("Managed", "UserIdentity")
_OF_THE_COMPUTE = "55555555-5555-5555-5555-555555555555"  # any id will do: the job's tokens depend on none


class JobInputs:
    """Brings inputs into a job's folder."""

    def __init__(self, lookup: AssetLookup, blobs: BlobStore) -> None:
        self._lookup = lookup
        self._blobs = blobs

    def materialise(
        self, specs: Mapping[str, Mapping[str, Any]], folder: Path, write_log: WriteLog, stop: threading.Event
    ) -> dict[str, str]:
        """Return the value of each input's placeholder. Blocks; `stop` ends it between two pieces.

        As on Azure, an input's folder is called `INPUT_` and its name.

        Raises `JobFailure` for content that is not there, `Interrupted`.
        """
        return {
            name: self._fetch_input(name, spec, folder / f"INPUT_{name}", write_log, stop)
            for name, spec in specs.items()
        }

    def fetch_code(self, reference: str, folder: Path) -> None:
        """Copy a code snapshot into `folder`. Raises `JobFailure` when it is not in this workspace's storage."""
        uri = self._lookup.code(reference).body["properties"]["codeUri"]
        place = self._lookup.locate(uri)
        if isinstance(place, RemoteLocation):
            raise JobFailure(f"The code at {uri} is not in this workspace's storage.")
        if self._is_file(place):
            self._blobs.fetch_file(place.container, place.path, folder / place.path.rpartition("/")[2])
        elif self._blobs.fetch_tree(place.container, place.path, folder) == 0:
            raise JobFailure(f"The code snapshot at {uri} is empty.")

    def _fetch_input(
        self, name: str, spec: Mapping[str, Any], folder: Path, write_log: WriteLog, stop: threading.Event
    ) -> str:
        if stop.is_set():
            raise Interrupted(f"stopped before input {name} was there")
        if spec["jobInputType"] == "literal":
            return str(spec["value"])
        if spec["mode"] == DIRECT:
            return self._lookup.storage_uri(spec["uri"])
        folder.mkdir()
        place = self._lookup.locate(spec["uri"])
        if isinstance(place, RemoteLocation) and place.is_folder:
            raise JobFailure(
                f"The input {name} is the folder {spec['uri']} in Azure's storage, of which a local workspace fetches "
                "single files alone. Use a path in workspaceblobstore here."
            )
        if isinstance(place, RemoteLocation):
            path = download(name, place.url, folder, stop)
        else:
            path = self._copy_blobs(name, place, folder)
        if spec["mode"] in _WRITABLE:
            write_log(f"input {name}: a writable copy; what the job changes in it is not written back")
        else:
            _protect(folder)
        return str(path)

    def _copy_blobs(self, name: str, place: Location, folder: Path) -> Path:
        """Copy a blob, or the folder of blobs, at a place into `folder`; return the path of the copy."""
        last = place.path.rpartition("/")[2]
        target = folder / last if last else folder
        if self._is_file(place):
            self._blobs.fetch_file(place.container, place.path, target)
        elif self._blobs.fetch_tree(place.container, place.path, target) == 0:
            where = f"there is no blob at '{place.path}' in container {place.container}"
            raise JobFailure(f"The input {name} is empty: {where}.")
        return target

    def _is_file(self, place: Location) -> bool:
        blob = self._blobs.get(place.container, place.path) if place.path else None
        return blob is not None and not blob.marks_folder


def _protect(folder: Path) -> None:
    """Take the right to write from a folder and all that is in it."""
    for root, _, files in os.walk(folder):
        for file in files:
            (Path(root) / file).chmod(0o444)
        Path(root).chmod(0o555)


def download(name: str, url: str, folder: Path, stop: threading.Event) -> Path:
    """Fetch the file at `url` into `folder` for the input `name`; return its path. `stop` ends it between two pieces.

    Raises `JobFailure` with the reason when it cannot be fetched, `Interrupted`.
    """
    try:
        target = folder / file_name(url)
        with httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT_S) as answer, target.open("wb") as file:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                if stop.is_set():
                    raise Interrupted(f"stopped while input {name} was fetched")
                file.write(piece)
    # The latter two are what httpx makes of a proxy in the environment that it cannot use.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
        raise JobFailure(f"The input {name} cannot be fetched from {url}: {error}.") from error
    return target


def file_name(url: str) -> str:
    """Return the last part of a URL's path as the name of a file, `content` where it cannot be one.

    Raises `httpx.InvalidURL`.
    """
    last = httpx.URL(url).raw_path.partition(b"?")[0].rstrip(b"/").rpartition(b"/")[2]
    name = unquote_to_bytes(last).decode(errors="replace")
    return "content" if name in ("", ".", "..") or {"/", "\0"}.intersection(name) else name


class JobEnvironments:
    """Prepares environments. `strict` refuses a Python version that is not installed; `cache` keeps what was built."""

    def __init__(self, lookup: AssetLookup, blobs: BlobStore, *, cache: Path, strict: bool) -> None:
        self._lookup = lookup
        self._blobs = blobs
        self._cache = cache
        self._strict = strict

    def prepare(self, reference: str, folder: Path, write_log: WriteLog, stop: threading.Event) -> Runtime:
        """Return the job's own environment, layered in `folder`. Blocks while one is built; `stop` ends that early.

        Raises `AmlocalError` with the reason when the environment cannot be had.
        """
        spec = self._spec(reference, folder.with_name("context"))
        runtime = resolve(spec, cache=self._cache, strict=self._strict, log=write_log, cancelled=stop)
        return create_layer(runtime, folder, self._cache, log=write_log)

    def _spec(self, reference: str, context: Path) -> EnvironmentSpec:
        document = self._lookup.environment(reference)
        if document is None:
            return EnvironmentSpec(name=curated_name(reference) or reference)
        properties = document.body["properties"]
        conda = properties.get("condaFile")
        return EnvironmentSpec(
            name=document.name,
            version=document.version,
            image=properties.get("image"),
            conda_file=parse_conda(conda) if conda else None,
            build=self._context(document, properties["build"], context) if properties.get("build") else None,
        )

    def _context(self, document: Document, build: Mapping[str, str], folder: Path) -> BuildContext:
        place = self._lookup.locate(build["contextUri"])
        if not isinstance(place, Location) or self._blobs.fetch_tree(place.container, place.path, folder) == 0:
            raise JobFailure(f"The build context of environment {document.name}:{document.version} is not there.")
        return BuildContext(folder, build["dockerfilePath"])


@dataclass(frozen=True, slots=True)
class PreparedJob:
    """A command that is ready to run, by one process or by those of a distributed job."""

    command: str
    environ: Mapping[str, str]
    timeout_s: float | None
    processes: tuple[JobProcess, ...] = ()


class JobPreparation:
    """Prepares jobs.

    `machine` is what jobs see of this machine's environment variables, `client_environ` leads a job's own SDK calls to
    this workspace, `make_token` returns a token of the job by its name; with True, one that opens the whole workspace.
    """

    def __init__(
        self,
        context: Context,
        inputs: JobInputs,
        environments: JobEnvironments,
        *,
        machine: Mapping[str, str],
        client_environ: Mapping[str, str],
        make_token: Callable[[str, bool], str],
    ) -> None:
        self._context = context
        self._inputs = inputs
        self._environments = environments
        self._machine = machine
        self._client_environ = client_environ
        self._make_token = make_token

    def prepare(self, job: Document, folder: JobFolder, stop: threading.Event) -> PreparedJob:
        """Fill the job's folder and return its command. Blocks; `stop` ends it early.

        Raises `AmlocalError` with the reason when the job cannot run, `OSError` when the machine does not let it.
        """
        properties, write_log = job.body["properties"], folder.log_writer(self._context.clock)
        folder.create()
        for line in (*ignored_settings(properties), mpi_notice(properties["distribution"])):
            if line:
                write_log(line)
        if properties["codeId"]:
            self._inputs.fetch_code(properties["codeId"], folder.work)
        folder.add_artifact_folders()
        inputs = self._inputs.materialise(properties["inputs"], folder.inputs, write_log, stop)
        outputs = self._output_paths(job.name, properties["outputs"], folder)
        literals = {name for name, spec in properties["inputs"].items() if spec["jobInputType"] == "literal"}
        command = substitute(properties["command"], inputs, outputs, literals=literals)
        runtime = self._environments.prepare(properties["environmentId"], folder.layer, write_log, stop)
        processes = job_processes(properties["distribution"])
        secret = self._make_token(job.name, has_own_identity(properties))
        variables = (
            runtime_environ(runtime, self._machine)
            | dict(self._client_environ)
            | job_environ(self._context, job.name, properties["experimentName"], self._make_token(job.name, False))
            | {"IDENTITY_HEADER": secret}
            | identity_environ(self._context, properties, secret)
            | {f"AZURE_ML_INPUT_{key}": value for key, value in inputs.items()}
            | {f"AZURE_ML_OUTPUT_{key}": value for key, value in outputs.items()}
            | dict(processes[0].environ if len(processes) == 1 else {})
            | properties["environmentVariables"]
        )
        limit = (properties["limits"] or {}).get("timeout")
        several = without_job_variables(processes, properties["environmentVariables"]) if len(processes) > 1 else ()
        return PreparedJob(command, variables, seconds(limit) if limit else None, several)

    def _output_paths(self, job: str, specs: Mapping[str, Mapping[str, Any]], folder: JobFolder) -> dict[str, str]:
        """Make a folder for each named output and return the value of its placeholder.

        An output of type uri_file is a file that the command itself writes, so only the folder above it is made. One
        that is written directly is the URI of its place.
        """
        paths, here = {}, self._context.identity
        for name, spec in specs.items():
            path = folder.outputs / name
            paths[name] = str(path)
            if spec["mode"] == DIRECT:
                paths[name] = here.datastore_uri(*planned_location(here, job, name, spec))
            elif spec["jobOutputType"] != "uri_file":
                path.mkdir()
        return paths


def has_own_identity(properties: Mapping[str, Any]) -> bool:
    """Return whether a job acts under another identity than its own: the compute's, or the submitter's."""
    return (properties.get("identity") or {}).get("identityType") in _IDENTITIES


def identity_environ(context: Context, properties: Mapping[str, Any], secret: str) -> dict[str, str]:
    """Return the variables by which a job's credentials find its identity: the submitter's, or a compute's managed one.

    azure.ai.ml's AzureMLOnBehalfOfCredential reads the one, programs the other (learn.microsoft.com, "Set up
    authentication between Azure Machine Learning and other services").
    """
    identity = properties.get("identity") or {}
    if identity.get("identityType") == "UserIdentity":
        return {"OBO_ENDPOINT": f"{context.origin}{OBO_PATH}?identity={secret}"}
    if identity.get("identityType") == "Managed":
        return {"DEFAULT_IDENTITY_CLIENT_ID": identity.get("clientId") or _OF_THE_COMPUTE}
    return {}


def job_environ(context: Context, job: str, experiment: str, token: str) -> dict[str, str]:
    """Return the variables that Azure ML sets about a job and its MLflow tracking; `token` is accepted by MLflow."""
    return {
        "AZUREML_ARM_PROJECT_NAME": experiment,
        "AZUREML_ARM_RESOURCEGROUP": context.identity.resource_group,
        "AZUREML_ARM_SUBSCRIPTION": context.identity.subscription,
        "AZUREML_ARM_WORKSPACE_NAME": context.identity.name,
        "AZUREML_RUN_ID": job,
        "AZUREML_ROOT_RUN_ID": job,
        "AZUREML_RUN_TOKEN": token,
        "MLFLOW_EXPERIMENT_NAME": experiment,
        "MLFLOW_RUN_ID": job,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_TRACKING_URI": f"{context.origin}/mlflow",
        "PYTHONUNBUFFERED": "1",
    }
