"""Azure's answers about batch endpoints, their deployments and the jobs that calls of them become."""

from typing import Any

from tests.contract.amlocal.recorded.common import CREATED, PROVIDER, error, resource
from tests.contract.amlocal.recorded.jobs import SERVICES
from tests.contract.amlocal.recorded.vocabulary import (
    ARM,
    BOOL,
    DATE,
    EMPTY,
    INT,
    STR,
    TEXTS,
    URI,
    Maybe,
    Shape,
    Template,
)

_BRIEF = {"createdAt": DATE, "createdBy": STR, "lastModifiedAt": DATE}
_NOBODY = "00000000-0000-0000-0000-000000000000"
_LOWER = "/subscriptions/{s}/resourcegroups/{g}/providers/microsoft.machinelearningservices/workspaces/{w}"
_OPERATION = {
    "azureml.onlineendpointid": Template(f"{_LOWER}/onlineendpoints/{{endpoint}}"), "AzureAsyncOperationUri": URI,
}  # fmt: skip


def _endpoint(state: str, *, scoring: Shape) -> dict[str, Any]:
    properties = {
        "description": STR, "properties": {"own": STR, "BatchEndpointCreationApiVersion": STR, **_OPERATION},
        "scoringUri": scoring, "swaggerUri": None, "authMode": "AADToken", "defaults": {"deploymentName": Maybe(STR)},
        "provisioningState": state,
    }  # fmt: skip
    identity = {"type": "None", "principalId": _NOBODY, "tenantId": _NOBODY}
    return resource("batchEndpoints", properties, _BRIEF) | {"tags": TEXTS, "location": STR, "identity": identity}


NEW_ENDPOINT = _endpoint("Creating", scoring=None)
ENDPOINT = _endpoint("Succeeded", scoring=Template("https://{host}/jobs"))
NO_ENDPOINT = error(
    "The specified resource was not found.",
    code="NotFound",
    details=(
        {
            "code": "NoSuchEndpoint",
            "message": Template("There is no endpoint with name: {name} in {workspace}"),
            "details": (),
            "additionalInfo": (),
        },
    ),
    inner=False,
)


def _deployment(state: str, properties: Shape, **settings: Shape) -> dict[str, Any]:
    body = {
        "description": None, "properties": properties,
        "codeConfiguration": {"codeId": ARM, "scoringScript": STR}, "environmentId": STR,
        "environmentVariables": EMPTY, "compute": ARM, "errorThreshold": INT,
        "retrySettings": {"maxRetries": INT, "timeout": STR}, "miniBatchSize": INT, "loggingLevel": "Info",
        "model": {"referenceType": "Id", "assetId": ARM}, "maxConcurrencyPerInstance": INT,
        "outputAction": "AppendRow", "outputFileName": STR,
        "resources": {"instanceCount": INT, "instanceType": None, "properties": None}, "provisioningState": state,
    } | settings  # fmt: skip
    return resource("batchEndpoints/deployments", body, _BRIEF) | {"tags": TEXTS, "location": STR}


NEW_DEPLOYMENT = _deployment("Updating", _OPERATION)
LEAST_DEPLOYMENT = _deployment(
    "Updating",
    _OPERATION,
    errorThreshold=-1,
    retrySettings={"maxRetries": 3, "timeout": "PT30S"},
    miniBatchSize=10,
    maxConcurrencyPerInstance=1,
    outputFileName="predictions.csv",
)
DEPLOYMENT = _deployment("Succeeded", _OPERATION)  # the recorded list came before the operation's keys were added

_FIXED = {
    "azureml.runsource": "azureml.PipelineRun", "runSource": "Unavailable", "runType": "HTTP",
    "azureml.parameters": STR, "azureml.continue_on_step_failure": "False",
    "azureml.continue_on_failed_optional_input": "False", "azureml.pipelineid": STR,
    "azureml.pipelineComponent": "pipelinerun",
}  # fmt: skip
_ENDPOINTS = {
    name: {"jobEndpointType": name, "port": None, "endpoint": URI, "properties": None}
    for name in ("Tracking", "Studio")
}
CALL = {
    "id": Template("/subscriptions/{s}/{ws}/batchEndpoints/{endpoint}/deployments/{deployment}/jobs/{job}"),
    "name": STR,
    "type": f"{PROVIDER}/workspaces/batchEndpoints/deployments/jobs",
    "properties": {
        "provisioningState": "Succeeded",
        "inputData": {
            "UriFolder": {"description": None, "uri": URI, "mode": "ReadOnlyMount", "jobInputType": "UriFolder"}
        },
        "compute": {
            "target": ARM, "instanceCount": None, "isLocal": False, "location": None, "instanceType": None,
            "properties": None,
        },
        "output": {"datastoreId": None, "path": None},
        "retrySettings": {"maxRetries": INT, "timeout": STR},
        "status": "Preparing",
        "interactionEndpoints": _ENDPOINTS,
        "tags": {
            "outputType": "output_data", "inputType": "input_data", "azureml.batchrun": "true",
            "azureml.deploymentname": STR, "azureml.jobtype": "azureml.batchjob",
        },
        "properties": _FIXED,
        "name": STR,
    },
    "systemData": _BRIEF | {"lastModifiedBy": STR},
}  # fmt: skip
JOB = resource(
    "jobs",
    {
        "description": Template("Pipeline submission for endpoint: {endpoint}, deployment: {deployment}."),
        "tags": {"azureml.batchrun": "true", "azureml.deploymentname": STR}, "properties": _FIXED, "displayName": STR,
        "status": STR, "experimentName": STR, "services": SERVICES, "computeId": None, "isArchived": BOOL,
        "identity": None, "componentId": None, "jobType": "Pipeline", "settings": None, "jobs": None, "inputs": None,
        "outputs": None, "sourceJobId": None,
    },
    CREATED,
)  # fmt: skip
