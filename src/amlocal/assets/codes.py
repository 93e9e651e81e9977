"""Code snapshots: found again by the hash of their content, uploaded to a container of their own."""

from collections.abc import Callable
from functools import partial
from typing import Any

from amlocal.assets.routes import AssetRoutes
from amlocal.assets.store import AssetKind, AssetStore, Properties
from amlocal.core.context import STORAGE_ACCOUNT, Context, Identity
from amlocal.core.decoding import text
from amlocal.core.errors import BadRequest, Conflict, NotFound
from amlocal.core.http import Call, Reply, Route
from amlocal.core.paging import page
from amlocal.core.uris import own_reference


def _accept(here: Identity, properties: Properties) -> dict[str, Any]:
    uri = text(properties, "codeUri")
    if uri is None:
        raise BadRequest("A code snapshot needs a codeUri.")
    own_reference(here, uri)
    # Azure answers isAnonymous false whatever was sent.
    return {"codeUri": uri, "isAnonymous": False, "provisioningState": "Succeeded"}


def _missing(name: str, version: str = "") -> NotFound:
    return NotFound(f"Code {name}:{version} not found.")


def code_kind(identity: Identity) -> AssetKind:
    """Return the rules of code snapshots in a workspace."""
    return AssetKind(
        collection="codes",
        accept=partial(_accept, identity),
        definition=lambda properties: properties["codeUri"],
        conflict=lambda name, version: Conflict(f"Code {name}:{version} already exists with another URI."),
        missing_version=_missing,
        missing_container=_missing,
        container=lambda _: {},
    )


class CodeRoutes:
    """The routes of code snapshots: those of every asset, the look-up by hash and the pending upload."""

    def __init__(
        self,
        context: Context,
        store: AssetStore,
        *,
        storage_root: str,
        create_container: Callable[[str], None],
        make_sas: Callable[[str], str],
    ) -> None:
        self._context = context
        self._store = store
        self._assets = AssetRoutes(context, store)
        self._storage_root = storage_root
        self._create_container = create_container
        self._make_sas = make_sas

    def routes(self) -> list[Route]:
        """Return the routes; the look-up comes before the list that it would otherwise be taken for."""
        root = f"{self._context.arm}/codes/{{name}}/versions"
        own = [
            Route("GET", root, self._by_hash),
            Route("POST", f"{root}/{{version}}/startPendingUpload", self._start_upload),
        ]
        return own + self._assets.routes()

    def _by_hash(self, call: Call) -> Reply:
        # The name asked for is a fresh guid: only the hash counts.
        wanted = call.query.get("hash")
        rows = self._store.with_hash(wanted) if wanted else self._store.versions(call.path["name"])
        return page(call, rows, self._context.origin, show=self._assets.body)

    def _start_upload(self, _: Call) -> Reply:
        container = f"{self._context.identity.guid[:10]}-{self._context.ids()}"
        self._create_container(container)
        uri = f"{self._storage_root}/{container}"
        account = f"{self._context.identity.group_id}/providers/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}"
        reference = {
            "blobUri": uri,
            "storageAccountArmId": account,
            "credential": {"credentialType": "SAS", "sasUri": f"{uri}?{self._make_sas(container)}"},
        }
        body = {
            "blobReferenceForConsumption": reference,
            "pendingUploadId": self._context.ids(),
            "pendingUploadType": "None",
        }
        return Reply(200, body, {"Cache-Control": "no-store"})
