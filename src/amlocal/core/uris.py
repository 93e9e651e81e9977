"""The URI forms of Azure ML, taken apart."""

import re

_FLAGS = re.IGNORECASE | re.DOTALL
_DATASTORE = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resourcegroups/[^/]+/(?:providers/[^/]+/)?workspaces/[^/]+/|workspaces/[^/]+/)?"
    r"datastores/(?P<datastore>[^/]+)/(?:paths/)?(?P<path>.*)",
    _FLAGS,
)
_JOB = re.compile(r"azureml://jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/(?:paths/)?(?P<path>.*))?", _FLAGS)
_RUN = re.compile(r"runs:/(?P<job>[^/]+)(?:/(?P<path>.*))?", _FLAGS)
# One slash: a URI with two names a place, and may hold a folder called "versions".
_VERSION = re.compile(
    r"(?:azureml:)?/(?!/).*/(?P<kind>[^/]+)/(?:azureml:)?(?P<name>[^/]+)/versions/(?P<version>[^/]+)/?", _FLAGS
)
_SHORT_VERSION = re.compile(r"azureml:(?P<name>[^/:@]+)(?P<separator>[:@])(?P<version>[^/:@]+)", _FLAGS)


def datastore_reference(uri: str) -> tuple[str, str] | None:
    """Return datastore and path of a long or short datastore URI, or None for any other URI."""
    found = _DATASTORE.fullmatch(uri)
    return (found["datastore"], found["path"]) if found else None


def job_output_reference(uri: str) -> tuple[str, str, str] | None:
    """Return job, output and path of `azureml://jobs/J/outputs/O[/paths]/P` or `runs:/J/P`, or None.

    The run's own artifacts are the output named `artifacts`.
    """
    if found := _JOB.fullmatch(uri):
        return found["job"], found["output"], (found["path"] or "").strip("/")
    if found := _RUN.fullmatch(uri):
        return found["job"], "artifacts", (found["path"] or "").strip("/")
    return None


def version_reference(reference: str, kind: str) -> tuple[str, str] | None:
    """Return name and version of an ARM id of `kind` or of `azureml:NAME:VERSION`, or None.

    A label comes back with its `@` (`NAME@latest` gives the version "@latest").
    """
    if (found := _VERSION.fullmatch(reference)) and found["kind"].lower() == kind.lower():
        return found["name"], found["version"]
    if found := _SHORT_VERSION.fullmatch(reference):
        return found["name"], found["separator"].lstrip(":") + found["version"]
    return None
