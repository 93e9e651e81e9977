"""Azure's answers about command jobs and their runs."""

from typing import Any

from tests.contract.amlocal.recorded.common import CREATED, datastore_uri, resource
from tests.contract.amlocal.recorded.vocabulary import (
    ARM,
    BOOL,
    DATE,
    EMPTY,
    INT,
    SPAN,
    STR,
    TEXTS,
    URI,
    Each,
    Maybe,
    Shape,
    Template,
)

_SERVICE = dict.fromkeys(("port", "status", "errorMessage", "properties", "nodes"))
SERVICES = {
    "Tracking": _SERVICE
    | {"jobServiceType": "Tracking", "endpoint": Template("azureml://{host}/mlflow/v1.0/{workspace}?")},
    "Studio": _SERVICE
    | {
        "jobServiceType": "Studio",
        "endpoint": Template("https://{h}/runs/{j}?wsid=/subscriptions/{s}/resourcegroups/{g}/workspaces/{w}"),
    },
}
_INPUT = {"description": None, "uri": URI, "mode": "ReadOnlyMount", "jobInputType": "uri_file"}
_OUTPUT = {
    "description": None, "uri": None, "assetName": None, "assetVersion": None, "mode": "ReadWriteMount",
    "jobOutputType": "uri_folder", "autoDeleteSetting": None,
}  # fmt: skip
_DEFAULT = _OUTPUT | {"uri": Template("azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.{job}")}
# maxInstanceCount, locations, autoDeleteSetting, notificationSetting, secretsConfiguration and queueSettings: from
# 2023-04-01-preview on
_COMMAND = {
    "description": None, "tags": TEXTS, "properties": {"_azureml.ComputeTargetType": "amlctrain", "own": STR},
    "displayName": STR, "status": "Starting", "experimentName": STR, "services": SERVICES, "computeId": ARM,
    "isArchived": BOOL, "identity": None, "componentId": None, "jobType": "Command",
    "resources": {
        "instanceCount": INT, "maxInstanceCount": None, "instanceType": None, "locations": None, "properties": None,
        "shmSize": "2g", "dockerArgs": None,
    },
    "codeId": None, "command": STR, "environmentId": STR, "inputs": {"data": _INPUT}, "outputs": {"default": _DEFAULT},
    "distribution": None, "autologgerSettings": None, "limits": None, "environmentVariables": TEXTS,
    "parameters": EMPTY, "notificationSetting": None, "secretsConfiguration": None, "queueSettings": None,
}  # fmt: skip


def _job(**changes: Shape) -> dict[str, Any]:
    return resource("jobs", _COMMAND | changes, CREATED)


JOB = _job()
JOB_LATER = _job(status=STR)
JOB_WITH_CODE = _job(
    codeId=ARM,
    description=STR,
    identity={"identityType": "AMLToken"},
    distribution={"distributionType": "Mpi", "processCountPerInstance": INT},
    properties={"_azureml.ComputeTargetType": "amlctrain", "ContentSnapshotId": STR, "own": STR},
    inputs={"data": _INPUT, "asset": _INPUT | {"uri": ARM, "jobInputType": "uri_folder"}},
)
JOB_WITH_OUTPUTS = _job(
    outputs={
        "plain": _OUTPUT,
        "registered": _OUTPUT | {"assetName": STR, "assetVersion": STR, "mode": "Upload"},
        "default": _DEFAULT,
    }
)
SERVERLESS_JOB = _job(
    computeId=None, identity={"identityType": "AMLToken"}, queueSettings={"jobTier": "Standard", "priority": None}
)

_PERSON = {
    "userObjectId": STR, "userPuId": Maybe(STR), "userIdp": None, "userAltSecId": None, "userIss": Maybe(STR),
    "userTenantId": STR, "userName": STR, "upn": None,
}  # fmt: skip
RUN = {
    "runNumber": INT, "rootRunId": STR, "createdUtc": DATE, "createdBy": _PERSON, "userId": STR, "token": None,
    "tokenExpiryTimeUtc": None, "error": None, "warnings": None, "revision": INT, "statusRevision": INT,
    "runUuid": STR, "parentRunUuid": Maybe(STR), "rootRunUuid": STR, "lastStartTimeUtc": None,
    "currentComputeTime": None, "computeDuration": SPAN, "effectiveStartTimeUtc": None, "lastModifiedBy": _PERSON,
    "lastModifiedUtc": DATE, "duration": SPAN, "cancelationReason": None, "currentAttemptId": Maybe(INT), "runId": STR,
    "parentRunId": Maybe(STR), "experimentId": STR, "status": "Completed", "startTimeUtc": DATE, "endTimeUtc": DATE,
    "scheduleId": None, "displayName": STR, "name": Maybe(STR), "dataContainerId": Template("dcid.{run}"),
    "description": Maybe(STR), "hidden": BOOL, "runType": Template("azureml.{kind}"),
    "runTypeV2": {
        "orchestrator": Maybe(STR), "traits": [STR], "attribution": Maybe(STR), "computeType": Maybe(STR),
    },
    "properties": TEXTS, "parameters": EMPTY, "actionUris": {"Cancel": URI}, "scriptName": None, "target": Maybe(STR),
    "uniqueChildRunComputeTargets": [STR], "tags": TEXTS, "settings": EMPTY, "services": EMPTY, "inputDatasets": (),
    "outputDatasets": (), "runDefinition": None, "jobSpecification": None, "primaryMetricName": None,
    "createdFrom": None, "cancelUri": URI, "completeUri": None, "diagnosticsUri": None, "computeRequest": None,
    "compute": None, "retainForLifetimeOfWorkspace": Maybe(BOOL), "queueingInfo": None, "inputs": None, "outputs": None,
}  # fmt: skip
CHILDREN = {"value": [RUN]}
_ASSET_OF_RUN = Template("azureml://locations/{l}/workspaces/{w}/data/azureml_{run}_output_data_{output}/versions/1")
RUN_DATA = {
    "runMetadata": RUN | {"inputs": EMPTY, "outputs": Each({"assetId": _ASSET_OF_RUN, "type": "UriFolder"})},
    "runDefinition": {"JobType": STR, "Command": STR},
    "jobSpecification": None,
    "systemSettings": None,
}
RESOLVED_URIS = {
    "values": Each(
        {"uri": datastore_uri(group="resourcegroups", tail="/"), "type": "UriFolder", "legacyDatasetType": None}
    )
}
