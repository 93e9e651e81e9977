"""The datastores of a workspace, and how a URI into one becomes a container and a path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlocal.core.context import STORAGE_ACCOUNT, STORAGE_SUFFIX, Context
from amlocal.core.documents import Document, Listing
from amlocal.core.errors import ApiError, BadRequest, NotFound
from amlocal.core.fields import mapping, text, texts
from amlocal.core.postings import Term
from amlocal.core.uris import datastore_reference

_KIND = "datastore"
DEFAULT = "workspaceblobstore"
ARTIFACTS = "workspaceartifactstore"
ARTIFACT_CONTAINER = "azureml"
# Of any port: the server's may have been another when the URL was written. The account's segment may be absent, it is
# lost where the SDK joins URLs (docker build contexts), and the rest is not percent-encoded: the SDK writes it raw.
_URL = re.compile(r"https://(?:127\.0\.0\.1|localhost)(?::\d+)?/(?P<path>[^?]*)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_CREDENTIALS = ("AccountKey", "Sas", "None")
_NAME = re.compile(r"[A-Za-z0-9_]{1,255}")  # as azureml-core's Datastore.register_azure_blob_container has it


@dataclass(frozen=True, slots=True)
class Location:
    """A place in blob storage: `path` names a blob, or the folder above many; it has no slash at either end."""

    container: str
    path: str


class Datastores:
    """Keeps datastores; the built-in ones are there from the first start."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.here = context.identity
        self._account = f"{context.origin.removeprefix('https://')}/{STORAGE_ACCOUNT}"
        self.default_container = f"azureml-blobstore-{context.identity.guid}"
        self.furnished = (ARTIFACT_CONTAINER, self.default_container)
        context.documents.index(_KIND, _terms)
        self._furnish()

    def _furnish(self) -> None:
        for name, container in zip((ARTIFACTS, DEFAULT), self.furnished, strict=True):
            if self._context.documents.get(_KIND, name) is None:
                body = self._blob_body(container, credentials="AccountKey") | {
                    "isDefault": name == DEFAULT,
                    "serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity" if name == DEFAULT else "None",
                }
                self._context.documents.put(_KIND, name, {"properties": body, "created": self._context.now()})

    def _blob_body(self, container: str, *, credentials: str) -> dict[str, Any]:
        return {
            "description": None,
            "tags": None,
            "properties": None,
            "isDefault": False,
            "credentials": {"credentialsType": credentials},
            "datastoreType": "AzureBlob",
            "accountName": STORAGE_ACCOUNT,
            "containerName": container,
            "endpoint": STORAGE_SUFFIX,
            "protocol": "https",
            "serviceDataAccessAuthIdentity": "None",
        }

    def get(self, name: str) -> Document:
        """Return the datastore. Raises `NotFound`."""
        found = self._context.documents.get(_KIND, name)
        if found is None:
            raise NotFound(f"Could not find datastore: {name}.")
        return found

    def list(self, *, default: bool | None = None) -> Listing:
        """Return the list of all datastores, or of those that are the default or are not."""
        terms = () if default is None else (_default(default),)
        return self._context.documents.select(_KIND, *terms)

    def properties(self, document: Document) -> dict[str, Any]:
        """Return the datastore's properties as the wire has them: the account's name holds today's port."""
        return dict(document.body["properties"]) | {"accountName": self._account}

    def put(self, name: str, properties: Mapping[str, Any]) -> tuple[Document, bool]:
        """Create or update a blob datastore in the workspace's own storage; return it and whether it is new.

        Raises `ApiError` for a kind of store, or an account, that is not on this machine.
        """
        kind = properties.get("datastoreType")
        if kind != "AzureBlob":
            raise ApiError(
                501, f"Datastores of type {kind} are not served locally; use AzureBlob.", code="NotImplemented"
            )
        _check_name(name)
        account = text(properties, "accountName") or ""
        if account.rpartition("/")[2] != STORAGE_ACCOUNT:
            raise BadRequest(
                f"The storage account {account!r} is not on this machine; the local one is '{STORAGE_ACCOUNT}'."
            )
        container = text(properties, "containerName")
        if container is None:
            raise BadRequest("The datastore names no containerName.")
        known = self._context.documents.get(_KIND, name)
        if known and known.body["properties"]["containerName"] != container:
            raise BadRequest(f"Datastore {name} exists with container {known.body['properties']['containerName']}.")
        credentials = text(mapping(properties, "credentials"), "credentialsType") or "None"
        if credentials not in _CREDENTIALS:
            raise BadRequest(f"A local datastore's credentials are {', '.join(_CREDENTIALS)}, not {credentials!r}.")
        body = self._blob_body(container, credentials=credentials) | {
            "description": text(properties, "description"),
            "tags": texts(properties, "tags"),
            "isDefault": bool(known and known.body["properties"]["isDefault"]),
        }
        created = known.body["created"] if known else self._context.now()
        return self._context.documents.put(_KIND, name, {"properties": body, "created": created}), known is None

    def delete(self, name: str) -> bool:
        """Remove a datastore (its blobs stay). False when there is none. Raises `BadRequest` for a built-in one."""
        if name in (DEFAULT, ARTIFACTS):
            raise BadRequest(f"Datastore {name} belongs to the workspace and cannot be deleted.")
        return self._context.documents.delete(_KIND, name)

    def container_of(self, name: str) -> str:
        """Return the container of a datastore. Raises `NotFound`."""
        return str(self.get(name).body["properties"]["containerName"])

    def locate(self, uri: str) -> Location | None:
        """Return where a datastore URI or a URL of the local storage account points; None for any other URI.

        Raises `NotFound` for an unknown datastore, `ForeignReference` for one of another workspace.
        """
        if found := datastore_reference(self.here, uri):
            return Location(self.container_of(found[0]), found[1].strip("/"))
        return self._locate_url(uri)

    def _locate_url(self, uri: str) -> Location | None:
        found = _URL.fullmatch(uri)
        if found is None:
            return None
        segments = [segment for segment in found["path"].split("/") if segment]
        if segments and segments[0].partition(".")[0] == STORAGE_ACCOUNT:
            segments = segments[1:]
        return Location(segments[0], "/".join(segments[1:])) if segments else None


def _default(value: bool) -> Term:
    return ("isDefault", str(value))


def _terms(document: Document) -> tuple[Term]:
    return (_default(document.body["properties"]["isDefault"]),)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequest(f"The datastore name {name!r} is not valid: it holds letters, digits and '_', at most 255.")
