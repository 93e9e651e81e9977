"""Endpoints, deployments and calls as the wire has them, with the keys of Azure ML's own answers."""

from typing import Any

from amlocal.core.context import PROVIDER, USER, Context
from amlocal.core.documents import Document

_NOBODY = "00000000-0000-0000-0000-000000000000"


def endpoint_view(
    context: Context, document: Document, operation_uri: str, *, state: str = "Succeeded"
) -> dict[str, Any]:
    """Return an endpoint; `state` is that of the operation on it, whose status is at `operation_uri`."""
    properties, made_by = document.body["properties"], document.body["apiVersion"]
    added = {"BatchEndpointCreationApiVersion": made_by, **_of_operation(context, document, operation_uri)}
    return _resource(context, f"batchEndpoints/{document.name}", document) | {
        "properties": {
            **properties,
            "properties": properties["properties"] | added,
            "authMode": "AADToken",
            "scoringUri": None if state == "Creating" else f"{context.origin}/batch/{document.name}/jobs",
            "swaggerUri": None,
            "provisioningState": state,
        },
        "identity": {"type": "None", "principalId": _NOBODY, "tenantId": _NOBODY},
    }


def deployment_view(
    context: Context, document: Document, operation_uri: str, *, state: str = "Succeeded"
) -> dict[str, Any]:
    """Return a deployment; `state` is that of the operation on it, whose status is at `operation_uri`."""
    properties = document.body["properties"]
    own = properties["properties"] | _of_operation(context, document, operation_uri)
    path = f"batchEndpoints/{document.name}/deployments/{document.version}"
    return _resource(context, path, document) | {
        "properties": {**properties, "properties": own, "provisioningState": state}
    }


def call_view(context: Context, record: Document, job: Document) -> dict[str, Any]:
    """Return a call and the job that it became."""
    facts, properties = record.body, job.body["properties"]
    given = facts["input"]
    tags = {"azureml.jobtype": "azureml.batchjob", "inputType": "input_data", "outputType": "output_data"}
    return {
        "id": _path(context, f"batchEndpoints/{facts['endpoint']}/deployments/{facts['deployment']}/jobs/{job.name}"),
        "name": job.name,
        "type": f"{PROVIDER}/workspaces/batchEndpoints/deployments/jobs",
        "properties": {
            "provisioningState": "Succeeded",
            "inputData": {
                given["key"]: {
                    "description": None,
                    "uri": given["uri"],
                    "mode": "ReadOnlyMount",
                    "jobInputType": given["type"],
                }
            },
            "compute": {
                "target": facts["compute"],
                "instanceCount": facts["instances"],
                "isLocal": False,
                **dict.fromkeys(("location", "instanceType", "properties")),
            },
            "output": {"datastoreId": None, "path": None},
            "retrySettings": facts["retrySettings"],
            "status": job.body["status"],
            "interactionEndpoints": {
                name: {"jobEndpointType": name, "port": None, "endpoint": service["endpoint"], "properties": None}
                for name, service in properties["services"].items()
            },
            "tags": properties["tags"] | tags,
            "properties": properties["properties"],
            "name": properties["displayName"],
        },
        "systemData": _system_data(job.body["created"], job.body["created"]) | {"lastModifiedBy": USER},
    }


def _of_operation(context: Context, document: Document, operation_uri: str) -> dict[str, str]:
    """Return what every answer adds to the properties, under the names that Azure has for online endpoints too."""
    endpoint = f"{context.arm}/onlineEndpoints/{document.name}".lower()
    return {"azureml.onlineendpointid": endpoint, "AzureAsyncOperationUri": operation_uri}


def _resource(context: Context, path: str, document: Document) -> dict[str, Any]:
    kind = "batchEndpoints/deployments" if document.version else "batchEndpoints"
    return {
        "id": _path(context, path),
        "name": document.version or document.name,
        "type": f"{PROVIDER}/workspaces/{kind}",
        "location": context.identity.location,
        "tags": document.body["tags"],
        "systemData": _system_data(document.body["created"], document.body["modified"]),
    }


def _path(context: Context, path: str) -> str:
    return f"{context.arm}/{path}"


def _system_data(created: str, modified: str) -> dict[str, str]:
    return {"createdAt": created, "createdBy": USER, "lastModifiedAt": modified}
