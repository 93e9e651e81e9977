"""What a person asked for, told from the path of a request that nothing here serves.

A client asks for what it needs on the way: azure-ai-ml creates an anonymous component before it sends a pipeline job,
and looks a registry up before anything is asked of it. The answer names what the person wanted.
"""

import re
from collections.abc import Mapping
from typing import Any

from amlocal.core.errors import ApiError

_COLLECTION = re.compile(r"/workspaces/[^/]+/(?P<collection>[^/?]+)(?P<rest>[^?]*)", re.IGNORECASE)
_WORKSPACE = re.compile(r".*/workspaces/[^/]+/?", re.IGNORECASE)
_COLLECTIONS = {
    "components": "Components",
    "schedules": "Schedules",
    "featuresets": "Feature stores",
    "featurestoreentities": "Feature stores",
    "features": "Feature stores",
    "connections": "Connections",
    "serverlessendpoints": "Serverless endpoints",
    "marketplacesubscriptions": "Marketplace subscriptions",
    "capabilityhosts": "Capability hosts",
    "outboundrules": "Managed networks",
    "provisionmanagednetwork": "Managed networks",
    "outboundnetworkdependenciesendpoints": "Managed networks",
    "privateendpointconnections": "Private endpoints",
    "privatelinkresources": "Private endpoints",
    "labelingjobs": "Data labeling projects",
    "indexes": "Indexes",
    "listkeys": "Keys of the workspace",
    "liststorageaccountkeys": "Keys of the workspace",
    "resynckeys": "Keys of the workspace",
    "diagnose": "Diagnoses of the workspace",
    "preparenotebook": "Notebooks",
    "listnotebookkeys": "Notebooks",
    "listnotebookaccesstoken": "Notebooks",
}
_ELSEWHERE = (
    (re.compile(r"/registrymanagement/.*/registries/(?P<name>[^/?]+)", re.IGNORECASE), "Registries"),
    (re.compile(r"/registries(/(?P<name>[^/?]+)|$)", re.IGNORECASE), "Registries"),
    (re.compile(r"/genericasset/.*/indexes", re.IGNORECASE), "Indexes"),
    (re.compile(r"/providers/microsoft\.resourcegraph/", re.IGNORECASE), "Virtual clusters"),
    (re.compile(r"/providers/microsoft\.resources/deployments/", re.IGNORECASE), "New workspaces"),
    (re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/?]+/?$", re.IGNORECASE), "Resource groups and new workspaces"),
    (re.compile(r"/locations/[^/]+/vmsizes", re.IGNORECASE), "Lists of VM sizes"),
    (re.compile(r"/locations/[^/]+/(usages|quotas|updatequotas)", re.IGNORECASE), "Quotas"),
)
_JOBS = {
    "Pipeline": "Pipeline jobs",
    "Sweep": "Sweep jobs",
    "AutoML": "AutoML jobs",
    "Spark": "Spark jobs",
    "Labeling": "Data labeling jobs",
    "FineTuning": "Fine-tuning jobs",
    "Distillation": "Distillation jobs",
}
_IMPORTED = "azureml.materializationAssetName"  # of the pipeline that azure-ai-ml sends for `data.import_data`
FEATURES = tuple(sorted({"Data imports", *_COLLECTIONS.values(), *_JOBS.values(), *(name for _, name in _ELSEWHERE)}))
"""What a 501 names in place of a path."""


def unserved(method: str, path: str) -> ApiError | None:
    """Return the 501 that names what was asked for, None for a path that tells nothing of it."""
    if (found := _COLLECTION.search(path)) and (feature := _in_workspace(found["collection"].lower(), found["rest"])):
        return not_served(feature)
    for pattern, feature in _ELSEWHERE:
        if found := pattern.search(path):
            name = found.groupdict().get("name")
            return not_served(feature, name and f"'{name}'")
    if method not in ("GET", "HEAD") and _WORKSPACE.fullmatch(path):
        return not_served("Changes of a workspace")
    return None


def _in_workspace(collection: str, rest: str) -> str | None:
    if collection == "components" and rest.lower().startswith("/azureml_anonymous"):
        return "Pipeline jobs"  # the only ones that azure-ai-ml makes anonymous components for
    if collection == "models" and rest.lower().rstrip("/").endswith("/package"):
        return "Model packages"
    return _COLLECTIONS.get(collection)


def not_served(feature: str, detail: str | None = None) -> ApiError:
    """Return the 501 of a feature, in the plural; `detail` says which one, or what makes it that."""
    which = f": {detail}" if detail else ""
    message = f"{feature} are not served by amlocal yet{which}. docs/amlocal.md tells what is."
    return ApiError(501, message, code="NotImplemented")


def unserved_job(sent: Mapping[str, Any]) -> ApiError:
    """Return the 501 of what is no command job."""
    kind, properties = str(sent.get("jobType")), sent.get("properties")
    if isinstance(properties, Mapping) and _IMPORTED in properties:
        return not_served("Data imports")
    return not_served(_JOBS.get(kind, f"Jobs of type {kind}"), "send a command job")
