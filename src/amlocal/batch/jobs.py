"""The two jobs that a call becomes, as on Azure: a pipeline, and the one step in it that scores.

The step is a command job that the workspace's queue runs like any other: the driver is its command, the scoring
script's snapshot its code. The pipeline only follows it.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amlocal import scoring
from amlocal.batch.invocation import Invocation, job_input_type
from amlocal.core.context import Context
from amlocal.core.documents import Document
from amlocal.core.durations import seconds
from amlocal.jobs.store import STEP
from amlocal.jobs.submission import services
from amlocal.scoring.settings import VARIABLE, Settings

_DRIVER = Path(scoring.__file__).parent
_FIXED = {
    "azureml.runsource": "azureml.PipelineRun",
    "runSource": "Unavailable",
    "runType": "HTTP",
    "azureml.continue_on_step_failure": "False",
    "azureml.continue_on_failed_optional_input": "False",
    "azureml.pipelineComponent": "pipelinerun",
}


@dataclass(frozen=True, slots=True)
class Call:
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


def pipeline_job(context: Context, name: str, step: str, call: Call) -> dict[str, Any]:
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


def scoring_job(parent: str, call: Call) -> dict[str, Any]:
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
        "environmentVariables": call.properties["environmentVariables"] | {VARIABLE: json.dumps(asdict(settings))},
        "inputs": {
            "data": {
                "jobInputType": job_input_type(call.invocation.input_type),
                "uri": call.invocation.input_uri,
            },
            "model": {"jobInputType": "custom_model", "uri": call.model_id},
        },
        "outputs": {"score": {"jobOutputType": "uri_folder", "uri": call.invocation.output_uri}},
    }


def scoring_settings(call: Call) -> Settings:
    """Return what the driver is told: instances are processes here, as many as all instances would run at once."""
    properties, settings = call.properties, call.invocation.settings
    return Settings(
        mini_batch_size=settings["miniBatchSize"],
        workers=call.invocation.instance_count * properties["maxConcurrencyPerInstance"],
        max_retries=settings["retrySettings"]["maxRetries"],
        timeout_s=seconds(settings["retrySettings"]["timeout"]),
        error_threshold=settings["errorThreshold"],
        logging_level=properties["loggingLevel"].lower(),
        output_file=settings["outputFileName"] if properties["outputAction"] == "AppendRow" else None,
        script=(properties["codeConfiguration"] or {}).get("scoringScript"),
    )


def _parameters(call: Call) -> dict[str, str]:
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
