"""Datastores of storage that is not on this machine: their description and secrets are kept, and no byte is read."""

from collections.abc import Mapping
from typing import Any

from amlocal.core.decoding import Sent, mapping, text
from amlocal.core.errors import ApiError, BadRequest

# What names the place, by kind of storage (DatastoreProperties of the 2024-10-01 API).
_PLACES: Mapping[str, tuple[str, ...]] = {
    "AzureBlob": ("accountName", "containerName"),
    "AzureFile": ("accountName", "fileShareName"),
    "AzureDataLakeGen1": ("storeName",),
    "AzureDataLakeGen2": ("accountName", "filesystem"),
}
# What credentials say of themselves, and which of their secrets opens the storage.
_CREDENTIALS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "AccountKey": ((), "key"),
    "Sas": ((), "sasToken"),
    "ServicePrincipal": (("clientId", "tenantId"), "clientSecret"),
    "Certificate": (("clientId", "tenantId", "thumbprint"), "certificate"),
    "None": ((), ""),
}
_OPTIONAL = ("authorityUrl", "resourceUrl")  # of service principals and certificates
_KINDS = {
    "AzureBlob": "blob container",
    "AzureFile": "file share",
    "AzureDataLakeGen1": "data lake store",
    "AzureDataLakeGen2": "data lake file system",
}


def accept_place(sent: Sent) -> dict[str, Any]:
    """Return the part of a datastore that names its storage.

    Raises `ApiError` 501 for a kind that Azure ML's SDK has and this does not, `BadRequest` for one without a place.
    """
    kind = text(sent, "datastoreType")
    if kind is None or kind not in _PLACES:
        raise ApiError(
            501, f"Datastores of type {kind} are not served locally; {', '.join(_PLACES)} are.", code="NotImplemented"
        )
    place: dict[str, Any] = {"datastoreType": kind}
    for key in _PLACES[kind]:
        place[key] = text(sent, key)
        if place[key] is None:
            raise BadRequest(f"The datastore names no {key}.")
    if "accountName" in place:
        place |= {
            "endpoint": text(sent, "endpoint") or "core.windows.net",
            "protocol": text(sent, "protocol") or "https",
        }
    return place


def accept_credentials(sent: Sent) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the credentials as they are shown, and their secrets as `listSecrets` gives them (empty for none).

    Raises `BadRequest` for credentials that lack a part.
    """
    given = mapping(sent, "credentials")
    kind = text(given, "credentialsType") or "None"
    if kind not in _CREDENTIALS:
        raise BadRequest(f"A datastore's credentials are {', '.join(_CREDENTIALS)}, not {kind!r}.")
    needed, secret = _CREDENTIALS[kind]
    shown: dict[str, Any] = {"credentialsType": kind}
    for key in needed:
        shown[key] = text(given, key)
        if shown[key] is None:
            raise BadRequest(f"The datastore's credentials of type {kind} have no {key}.")
    if needed:
        shown |= {key: text(given, key) for key in _OPTIONAL}
    if not secret:
        return shown, {}
    value = text(mapping(given, "secrets"), secret)
    if value is None:
        raise BadRequest(f"The datastore's credentials of type {kind} have no {secret}.")
    return shown, {"secretsType": kind, secret: value}


def refusal(name: str, properties: Mapping[str, Any]) -> ApiError:
    """Return the answer to whoever would read or write there."""
    kind = properties["datastoreType"]
    place = "/".join(properties[key] for key in _PLACES[kind])
    return ApiError(
        501,
        f"Datastore {name} is the {_KINDS[kind]} {place} in Azure, which a local workspace does not reach: "
        "it keeps the description alone. Use a path in workspaceblobstore here.",
        code="NotImplemented",
    )


def same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two datastores are the same storage."""
    keys = ("datastoreType", *_PLACES[one["datastoreType"]])
    return all(one.get(key) == other.get(key) for key in keys)
