"""Turns calls into jobs, each call once however often it is sent, and lists the jobs of an endpoint.

As on Azure, a call becomes two jobs: a pipeline, and the one step in it that scores. The step is a command job that the
workspace's queue runs like any other: the driver is its command, the scoring script's snapshot its code. The pipeline
only follows it.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amlocal import batch_scoring
from amlocal.batch.deployments import DeploymentRules
from amlocal.batch.invocation import Invocation, job_input_type, read_invocation
from amlocal.batch.store import BatchStore, default_of
from amlocal.batch_scoring.batch_job import SETTINGS_VARIABLE, BatchSettings
from amlocal.core.context import Context
from amlocal.core.decoding import Sent, seconds
from amlocal.core.documents import Document, Term
from amlocal.core.errors import BadRequest, Conflict
from amlocal.core.paging import LoadedList
from amlocal.jobs.store import STEP, JobStore
from amlocal.jobs.submission import AcceptJob, services

_DRIVER = Path(batch_scoring.__file__).parent
_FIXED = {
    "azureml.runsource": "azureml.PipelineRun",
    "runSource": "Unavailable",
    "runType": "HTTP",
    "azureml.continue_on_step_failure": "False",
    "azureml.continue_on_failed_optional_input": "False",
    "azureml.pipelineComponent": "pipelinerun",
}
_CALL, _REQUEST = "batchCall", "batchRequest"


@dataclass(frozen=True, slots=True)
class EndpointCall:
    """A call and what it runs on: the deployment's properties, the model's id, the environment."""

    endpoint: str
    deployment: Document
    invocation: Invocation
    model_id: str
    environment: str

    @property
    def properties(self) -> Mapping[str, Any]:
        """The deployment's properties."""
        properties: Mapping[str, Any] = self.deployment.body["properties"]
        return properties


def pipeline_job(context: Context, name: str, step: str, call: EndpointCall) -> dict[str, Any]:
    """Return the properties of the pipeline job, with the keys that Azure ML's answer has."""
    return {
        "description": f"Pipeline submission for endpoint: {call.endpoint}, deployment: {call.deployment.version}.",
        "tags": {"azureml.batchrun": "true", "azureml.deploymentname": call.deployment.version},
        "properties": {
            **_FIXED,
            "azureml.pipelineid": context.ids(),
            "azureml.parameters": json.dumps(_parameters(call)),
            STEP: step,
        },
        "displayName": name,
        "experimentName": call.invocation.experiment or call.endpoint,
        "services": services(context, name),
        "computeId": None,
        "isArchived": False,
        "identity": None,
        "componentId": None,
        "parentJobName": None,
        "jobType": "Pipeline",
        **dict.fromkeys(("settings", "jobs", "sourceJobId", "inputs", "outputs")),
    }


def scoring_job(parent: str, call: EndpointCall) -> dict[str, Any]:
    """Return the command job that scores, as a client would send it."""
    code = call.properties["codeConfiguration"] or {}
    settings = scoring_settings(call)
    return {
        "jobType": "Command",
        "displayName": "batchscoring",
        "experimentName": call.invocation.experiment or call.endpoint,
        "parentJobName": parent,
        "command": f"python {shlex.quote(str(_DRIVER))}",
        "codeId": code.get("codeId"),
        "environmentId": call.environment,
        "computeId": call.properties["compute"],
        # For the job's log, which says what they do not do; instances are processes of the driver.
        "resources": {key: call.properties["resources"].get(key) for key in ("instanceType", "properties")},
        "environmentVariables": call.properties["environmentVariables"]
        | {SETTINGS_VARIABLE: json.dumps(asdict(settings))},
        "inputs": {
            "data": {
                "jobInputType": job_input_type(call.invocation.input_type),
                "uri": call.invocation.input_uri,
            },
            "model": {"jobInputType": "custom_model", "uri": call.model_id},
        },
        "outputs": {"score": {"jobOutputType": "uri_folder", "uri": call.invocation.output_uri}},
    }


def scoring_settings(call: EndpointCall) -> BatchSettings:
    """Return the driver's settings: instances are processes here, as many as all instances would run at once."""
    properties, settings = call.properties, call.invocation.settings
    return BatchSettings(
        mini_batch_size=settings["miniBatchSize"],
        workers=call.invocation.instance_count * properties["maxConcurrencyPerInstance"],
        max_retries=settings["retrySettings"]["maxRetries"],
        timeout_s=seconds(settings["retrySettings"]["timeout"]),
        error_threshold=settings["errorThreshold"],
        logging_level=properties["loggingLevel"].lower(),
        output_file=settings["outputFileName"] if properties["outputAction"] == "AppendRow" else None,
        script=(properties["codeConfiguration"] or {}).get("scoringScript"),
    )


def _parameters(call: EndpointCall) -> dict[str, str]:
    """Return the parameters that Azure ML shows with the pipeline, all of them texts."""
    settings = call.invocation.settings
    return {
        "run_max_try": str(settings["retrySettings"]["maxRetries"]),
        "run_invocation_timeout": f"{seconds(settings['retrySettings']['timeout']):g}",
        "mini_batch_size": str(settings["miniBatchSize"]),
        "error_threshold": str(settings["errorThreshold"]),
        "logging_level": call.properties["loggingLevel"].upper(),
        "NodeCount": str(call.invocation.instance_count),
        "append_row_file_name": settings["outputFileName"],
    }


class Invoker:
    """Makes jobs of calls. `submit` queues one; `exists` says whether there is a file at a datastore's URI."""

    def __init__(
        self,
        context: Context,
        store: BatchStore,
        rules: DeploymentRules,
        jobs: JobStore,
        accept: AcceptJob,
        submit: Callable[[Document], None],
        exists: Callable[[str], bool],
    ) -> None:
        self._context = context
        self._store = store
        self._rules = rules
        self._jobs = jobs
        self._accept = accept
        self._submit = submit
        self._exists = exists
        context.documents.index(_CALL, _terms)

    def invoke(self, endpoint: str, deployment: str | None, request: str | None, sent: Sent) -> Document:
        """Return the record of a call: a new one, or the one that the same `request` id has made before.

        Raises `ApiError` for what cannot run; nothing is kept of such a call.
        """
        if request and (known := self._context.documents.get(_REQUEST, request)):
            return self._record(known.body["job"])
        call = self._call(endpoint, deployment, sent)
        name = call.invocation.job_name or f"batchjob-{self._context.ids()}"
        if self._jobs.find(name):
            raise Conflict(f"Job {name} already exists. Use a new name.")
        step = self._context.ids()
        command = self._accept(step, scoring_job(name, call))
        with self._context.documents.transaction():
            self._jobs.create(name, pipeline_job(self._context, name, step, call))
            document = self._jobs.create(step, command)
            if request:
                self._context.documents.put(_REQUEST, request, {"job": name})
            record = self._context.documents.put(_CALL, name, _facts(call))
        self._submit(document)
        return record

    def calls(self, endpoint: str, deployment: str | None = None) -> LoadedList[Document, tuple[Document, Document]]:
        """Return the list of an endpoint's calls, or a deployment's, each with its job. Raises 404 for either."""
        self._store.endpoint(endpoint)
        if deployment:
            self._store.deployment(endpoint, deployment)
        of_deployment: Term = (endpoint, deployment) if deployment else (endpoint,)
        return LoadedList(self._context.documents.select(_CALL, of_deployment), self._with_jobs)

    def _with_jobs(self, records: list[Document]) -> list[tuple[Document, Document] | None]:
        """Return calls with their jobs, None for one whose job was deleted."""
        jobs = self._jobs.find_all([record.name for record in records])
        return [None if job is None else (record, job) for record, job in zip(records, jobs, strict=True)]

    def _record(self, job: str) -> Document:
        found = self._context.documents.get(_CALL, job)
        if found is None:
            raise BadRequest(f"The job {job} of this request is gone.")
        return found

    def _call(self, endpoint: str, deployment: str | None, sent: Sent) -> EndpointCall:
        name = deployment or default_of(self._store.endpoint(endpoint))
        if name is None:
            raise BadRequest(
                f"No valid deployments to route to: endpoint '{endpoint}' has no default. Name a deployment, "
                "or set the endpoint's defaults.deployment_name."
            )
        document = self._store.deployment(endpoint, name)
        properties = document.body["properties"]
        model = self._rules.model(document)
        invocation = read_invocation(self._context.identity, sent, properties, lenient=self._rules.lenient)
        self._check_output(invocation, properties)
        return EndpointCall(
            endpoint=endpoint,
            deployment=document,
            invocation=invocation,
            model_id=f"{self._context.arm}/models/{model.name}/versions/{model.version}",
            environment=properties["environmentId"] or self._rules.environments.of(model),
        )

    def _check_output(self, invocation: Invocation, deployment: Mapping[str, Any]) -> None:
        """Raise `BadRequest` for a file of predictions that is there: Azure ML's job fails, it overwrites none."""
        place = f"{invocation.output_uri}/{invocation.settings['outputFileName']}"
        if invocation.output_uri and deployment["outputAction"] == "AppendRow" and self._exists(place):
            raise BadRequest(
                f"Output already exists: {place}. A batch deployment does not overwrite predictions; choose a file "
                "that is not there."
            )


def _terms(record: Document) -> tuple[Term, Term]:
    facts = record.body
    return (facts["endpoint"],), (facts["endpoint"], facts["deployment"])


def _facts(call: EndpointCall) -> Mapping[str, Any]:
    """Return what is shown of a call later, when the deployment may be another."""
    invocation = call.invocation
    return {
        "endpoint": call.endpoint,
        "deployment": call.deployment.version,
        "input": {"key": invocation.input_key, "type": invocation.input_type, "uri": invocation.input_uri},
        "compute": call.properties["compute"],
        "instances": invocation.instances_sent,
        "retrySettings": invocation.settings["retrySettings"],
    }
