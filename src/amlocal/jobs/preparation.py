"""All that a job needs before its command runs: snapshot, inputs, environment, variables."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amlocal.core.context import Context
from amlocal.core.decoding import seconds
from amlocal.core.documents import Document
from amlocal.identity.routes import OBO_PATH
from amlocal.jobs.bindings import substitute
from amlocal.jobs.distribution import JobProcess, job_processes, mpi_notice, without_job_variables
from amlocal.jobs.folder import JobFolder
from amlocal.jobs.inputs import JobEnvironments, JobInputs
from amlocal.jobs.outputs import DIRECT, planned_location
from amlocal.jobs.submission import ignored_settings
from amlocal.runtimes import environ as runtime_environ

# Azure ML's default, AMLToken, is the job's own; the others are identities with more rights.
_IDENTITIES = ("Managed", "UserIdentity")
_OF_THE_COMPUTE = "55555555-5555-5555-5555-555555555555"  # any id will do: the job's tokens depend on none


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
