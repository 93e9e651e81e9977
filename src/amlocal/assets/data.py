"""Data assets: a URI that never changes, and what kind of thing it points to."""

from typing import Any

from amlocal.assets.store import AssetKind, Properties
from amlocal.core.context import Identity
from amlocal.core.decoding import text, texts_of
from amlocal.core.errors import BadRequest, Conflict, NotFound
from amlocal.core.uris import datastore_reference, own_reference

_TYPES = ("uri_file", "uri_folder", "mltable")


def data_kind(identity: Identity) -> AssetKind:
    """Return the rules of data assets in a workspace."""

    def accept(properties: Properties) -> dict[str, Any]:
        uri, kind = text(properties, "dataUri"), text(properties, "dataType") or "uri_folder"
        if uri is None:
            raise BadRequest("A data asset needs a dataUri.")
        if kind not in _TYPES:
            raise BadRequest(f"A data asset's type is one of {', '.join(_TYPES)}, not {kind!r}.")
        if found := datastore_reference(identity, uri):
            uri = identity.datastore_uri(*found)
        for referenced in texts_of(properties, "referencedUris"):
            own_reference(identity, referenced)
        # Azure ends folders in a slash, and the SDK's downloads rely on it: 'model' must not fetch 'model2'.
        accepted = {"dataUri": uri if kind == "uri_file" else f"{uri.rstrip('/')}/", "dataType": kind}
        return accepted | {
            key: properties[key]
            for key in ("autoDeleteSetting", "referencedUris", "stage")
            if properties.get(key) is not None
        }

    return AssetKind(
        collection="data",
        accept=accept,
        definition=lambda properties: (properties["dataUri"], properties["dataType"]),
        conflict=_conflict,
        missing_version=_missing,
        missing_container=lambda name: NotFound(f"Data container {name} not found."),
        container=lambda latest: {"tags": None, "properties": None, "dataType": latest.get("dataType", "uri_folder")},
        shows_editor=False,
    )


def _conflict(_: str, __: str) -> Conflict:
    return Conflict(
        "A data version with this name and version already exists. If you are trying to create a new data version, "
        "use a different name or version. If you are trying to update an existing data version, the existing "
        "asset's data uri cannot be changed. Only tags, description, and isArchived can be updated."
    )


def _missing(name: str, version: str) -> NotFound:
    return NotFound(f"Data version {name}:{version} (dataContainerName:version) not found.")
