"""The datastores of a workspace, and how a URI into one becomes a container and a path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlocal.core.context import STORAGE_ACCOUNT, STORAGE_SUFFIX, Context
from amlocal.core.decoding import flag, mapping, text, texts
from amlocal.core.documents import Document, Listing, Term
from amlocal.core.errors import BadRequest, NotFound
from amlocal.core.uris import datastore_reference
from amlocal.datastores.external import accept_credentials, accept_place, refusal, same_place

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
        self.built_in_containers = (ARTIFACT_CONTAINER, self.default_container)
        context.documents.index(_KIND, _terms)
        self._create_built_in()

    def _create_built_in(self) -> None:
        for name, container in zip((ARTIFACTS, DEFAULT), self.built_in_containers, strict=True):
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
        """Return the datastore's properties as the wire has them: a local account's name holds today's port."""
        return dict(document.body["properties"]) | ({"accountName": self._account} if is_local(document) else {})

    def put(self, name: str, properties: Mapping[str, Any]) -> tuple[Document, bool]:
        """Create or update a datastore; return it and whether it is new.

        Raises `ApiError` 501 for a kind of storage that is not known, `BadRequest` for what cannot be one.
        """
        _check_name(name)
        account = text(properties, "accountName") or ""
        local = properties.get("datastoreType") == "AzureBlob" and account.rpartition("/")[2] == STORAGE_ACCOUNT
        body, secrets = self._local(properties) if local else _external(properties)
        known = self._context.documents.get(_KIND, name)
        is_default = bool(known and known.body["properties"]["isDefault"])
        if known and not same_place(known.body["properties"], body):
            raise BadRequest(f"Datastore {name} exists with other storage, which cannot be changed. Use a new name.")
        if flag(properties, "isDefault") and not is_default:
            raise BadRequest(f"The default datastore of a local workspace is {DEFAULT}, and {name} cannot become it.")
        body |= {
            "description": text(properties, "description"),
            "tags": texts(properties, "tags"),
            "isDefault": is_default,
        }
        kept = {"properties": body, "created": known.body["created"] if known else self._context.now()} | secrets
        return self._context.documents.put(_KIND, name, kept), known is None

    def _local(self, properties: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        container = text(properties, "containerName")
        if container is None:
            raise BadRequest("The datastore names no containerName.")
        credentials = text(mapping(properties, "credentials"), "credentialsType") or "None"
        if credentials not in _CREDENTIALS:
            raise BadRequest(f"A local datastore's credentials are {', '.join(_CREDENTIALS)}, not {credentials!r}.")
        return self._blob_body(container, credentials=credentials), {}

    def delete(self, name: str) -> bool:
        """Remove a datastore (its blobs stay). False when there is none. Raises `BadRequest` for a built-in one."""
        if name in (DEFAULT, ARTIFACTS):
            raise BadRequest(f"Datastore {name} belongs to the workspace and cannot be deleted.")
        return self._context.documents.delete(_KIND, name)

    def container_of(self, name: str) -> str:
        """Return the container of a datastore. Raises `NotFound`, `ApiError` 501 for storage that is in Azure."""
        document = self.get(name)
        if not is_local(document):
            raise refusal(name, document.body["properties"])
        return str(document.body["properties"]["containerName"])

    def locate(self, uri: str) -> Location | None:
        """Return where a datastore URI or a URL of the local storage account points; None for any other URI.

        Raises `NotFound` for an unknown datastore, `ForeignReference` for one of another workspace, `ApiError` 501 for
        one whose storage is in Azure.
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


def is_local(document: Document) -> bool:
    """Return whether a datastore's storage is on this machine."""
    return bool(document.body["properties"].get("accountName") == STORAGE_ACCOUNT)


def _external(sent: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    credentials, secrets = accept_credentials(sent)
    shown = {"properties": None, "serviceDataAccessAuthIdentity": "None", "credentials": credentials}
    return accept_place(sent) | shown, {"secrets": secrets}


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequest(f"The datastore name {name!r} is not valid: it holds letters, digits and '_', at most 255.")
