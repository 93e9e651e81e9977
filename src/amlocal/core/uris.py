"""The ids and URIs of Azure ML, taken apart by the one reader that knows whose they are.

Whoever reads an id says where it is read (`here`), and what belongs to another subscription, resource group or
workspace is refused by name: one workspace never answers with its own things for those of another.
"""

import re
from urllib.parse import unquote

from amlocal.core.context import PROVIDER, Identity
from amlocal.core.errors import ApiError, BadRequest
from amlocal.core.unserved import not_served

_FLAGS = re.IGNORECASE | re.DOTALL
# `azureml:` may stand before an ARM id with one slash (an asset) or with two (a datastore's long URI).
_ARM = re.compile(
    r"(?:azureml:)?/*subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/"
    rf"(?:providers/{re.escape(PROVIDER)}/)?(?P<kind>workspaces|registries)/(?P<name>[^/]+)/*(?P<rest>.*)",
    _FLAGS,
)
_BY_GUID = re.compile(r"azureml:/+(?:locations/[^/]+/)?workspaces/(?P<name>[^/]+)/+(?P<rest>.*)", _FLAGS)
_REGISTRY = re.compile(r"azureml:/+registries/(?P<name>[^/]+)(?:/.*)?", _FLAGS)
# What says that it names a workspace; one that the forms above do not fit is nobody's.
_UNREADABLE = re.compile(r"\s*azureml:/*(?:subscriptions|workspaces|locations)/", _FLAGS)
_DATASTORE = re.compile(r"azureml:/+datastores/(?P<datastore>[^/]+)/(?:paths/)?(?P<path>.*)", _FLAGS)
_JOB = re.compile(r"azureml://jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/(?:paths/)?(?P<path>.*))?", _FLAGS)
_BLOB = re.compile(
    r"(?:wasbs?|abfss?)://(?P<container>[^/@]+)@(?P<account>[^/.]+)\.(?:blob|dfs)\.(?P<suffix>[^/]+)(?P<path>/.*)?",
    _FLAGS,
)
_RUN = re.compile(r"runs:/(?P<job>[^/]+)(?:/(?P<path>.*))?", _FLAGS)
_VERSION = re.compile(r"azureml://(?P<kind>[^/]+)/(?:azureml:)?(?P<name>[^/]+)/versions/(?P<version>[^/]+)/?", _FLAGS)
_SHORT_VERSION = re.compile(r"azureml:(?P<name>[^/:@]+)(?P<separator>[:@])(?P<version>[^/:@]+)", _FLAGS)


class ForeignReference(BadRequest):
    """400: an id of another workspace than the one that was asked."""


def own_reference(here: Identity, reference: str) -> str:
    """Return a reference without the part that names the workspace: `azureml://datastores/D/paths/P` for the long form.

    What names no workspace comes back as it is. Names are compared without case, as ARM does. Raises
    `ForeignReference` naming the other workspace, `BadRequest` for a form that cannot be told, 501 for what is in a
    registry.
    """
    if found := _ARM.fullmatch(reference):
        names = (found["subscription"], found["group"], found["name"])
        if found["kind"].lower() == "registries":
            raise no_registries(reference, found["name"])
        if _lower(*names) != _lower(here.subscription, here.resource_group, here.name):
            raise _foreign(here, reference, *names)
    elif found := _BY_GUID.fullmatch(reference):
        # Azure writes the GUID; the name is unique enough to be taken too.
        if found["name"].lower() not in _lower(here.guid, here.name):
            raise _foreign(here, reference, None, None, found["name"])
    elif found := _REGISTRY.fullmatch(reference):
        raise no_registries(reference, found["name"])
    if _UNREADABLE.match(unquote(reference)) if found is None else found["rest"].startswith("."):
        raise BadRequest(
            f"{reference!r} names a workspace in no form that Azure ML has, such as "
            "azureml://subscriptions/ID/resourcegroups/GROUP/workspaces/NAME/datastores/NAME/paths/PATH."
        )
    return f"azureml://{found['rest']}" if found else reference


def _lower(*names: str) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _foreign(
    here: Identity, reference: str, subscription: str | None, group: str | None, name: str
) -> ForeignReference:
    where = f" in resource group '{group}' of subscription '{subscription}'" if group else ""
    return ForeignReference(
        f"'{reference}' belongs to another workspace: '{name}'{where}. This is workspace '{here.name}' in resource "
        f"group '{here.resource_group}' of subscription '{here.subscription}', which cannot use it."
    )


def no_registries(what: str, registry: str) -> ApiError:
    """Return the 501 of everything that is in a registry."""
    return not_served("Registries", f"'{what}' is of registry '{registry}'")


def datastore_reference(here: Identity, uri: str) -> tuple[str, str] | None:
    """Return datastore and path of a long or short datastore URI, or None for any other. Raises `own_reference`'s."""
    found = _DATASTORE.fullmatch(own_reference(here, uri))
    return (found["datastore"], found["path"]) if found else None


def azure_storage_url(uri: str) -> str | None:
    """Return the https URL of a `wasbs://`, `abfss://` or `adl://` URI, None for any other."""
    if found := _BLOB.fullmatch(uri):
        host = f"{found['account']}.blob.{found['suffix']}"
        return f"https://{host}/{found['container']}/{(found['path'] or '').lstrip('/')}"
    return f"https://{uri[len('adl://') :]}" if uri.lower().startswith("adl://") else None


def job_output_reference(here: Identity, uri: str) -> tuple[str, str, str] | None:
    """Return job, output and path of `azureml://jobs/J/outputs/O[/paths]/P` or `runs:/J/P`, or None.

    The run's own artifacts are the output named `artifacts`. Raises what `own_reference` raises.
    """
    if found := _JOB.fullmatch(own_reference(here, uri)):
        return found["job"], found["output"], (found["path"] or "").strip("/")
    if found := _RUN.fullmatch(uri):
        return found["job"], "artifacts", (found["path"] or "").strip("/")
    return None


def version_reference(here: Identity, reference: str, kind: str) -> tuple[str, str] | None:
    """Return name and version of an ARM or asset id of `kind` or of `azureml:NAME:VERSION`, or None.

    A label comes back with its `@` (`NAME@latest` gives the version "@latest"). Raises what `own_reference` raises.
    """
    own = own_reference(here, reference)
    if (found := _VERSION.fullmatch(own)) and found["kind"].lower() == kind.lower():
        return found["name"], found["version"]
    if found := _SHORT_VERSION.fullmatch(own):
        return found["name"], found["separator"].lstrip(":") + found["version"]
    return None
