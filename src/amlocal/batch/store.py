"""Batch endpoints and their deployments, as kept; and how Azure ML answers for one that is missing."""

import re
from collections.abc import Mapping
from typing import Any

from amlocal.core.context import Context
from amlocal.core.decoding import Sent, mapping, text, texts
from amlocal.core.documents import Document, Listing
from amlocal.core.errors import ApiError, BadRequest
from amlocal.core.limits import arm_tags

_ENDPOINT, _DEPLOYMENT = "batchEndpoint", "batchDeployment"
ADDED = ("BatchEndpointCreationApiVersion", "azureml.onlineendpointid", "AzureAsyncOperationUri")
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{1,30})[A-Za-z0-9]")


class BatchStore:
    """Keeps endpoints and deployments.

    A document holds `properties`, `tags`, `created`, `modified`, `operation` (the last one on it) and `apiVersion` (of
    the request that created it).
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def find_endpoint(self, name: str) -> Document | None:
        """Return an endpoint if there is one."""
        return self._context.documents.get(_ENDPOINT, name)

    def endpoint(self, name: str) -> Document:
        """Return an endpoint. Raises 404 as Azure ML does."""
        found = self.find_endpoint(name)
        if found is None:
            raise no_endpoint(name, self._context.identity.name)
        return found

    def endpoints(self) -> Listing:
        """Return the list of all endpoints."""
        return self._context.documents.select(_ENDPOINT)

    def deployment(self, endpoint: str, name: str) -> Document:
        """Return a deployment. Raises 404 for the endpoint, or for the deployment."""
        found = self._context.documents.get(_DEPLOYMENT, self.endpoint(endpoint).name, name)
        if found is None:
            raise no_deployment(name, endpoint)
        return found

    def deployments(self, endpoint: str) -> Listing:
        """Return the list of the deployments of an endpoint. Raises 404 for the endpoint."""
        return self._context.documents.select_named(_DEPLOYMENT, self.endpoint(endpoint).name)

    def put_endpoint(self, name: str, sent: Sent, *, operation: str = "", api_version: str = "") -> Document:
        """Create or replace an endpoint. Raises `BadRequest`; the default deployment must exist."""
        _check_name("endpoint", name)
        _check_tags(mapping(sent, "tags"))
        given = mapping(sent, "properties")
        default = _default(mapping(given, "defaults"))
        if (text(given, "authMode") or "AADToken").lower() != "aadtoken":
            raise BadRequest(f"A batch endpoint's authMode is AADToken, not {given['authMode']!r}.")
        properties = {
            "description": text(given, "description"),
            "properties": own_properties(given),
            "defaults": {"deploymentName": default},
        }
        with self._context.documents.transaction():
            if default and self._context.documents.get(_DEPLOYMENT, name, default) is None:
                raise BadRequest(
                    f"The default deployment '{default}' does not exist in endpoint '{name}'. Create the deployment "
                    "first, then make it the default."
                )
            return self._put((_ENDPOINT, name, ""), properties, sent, operation, api_version)

    def put_deployment(
        self, endpoint: str, name: str, properties: Mapping[str, Any], sent: Sent, *, operation: str = ""
    ) -> Document:
        """Create or replace a deployment. Raises `BadRequest` for its name, 404 for the endpoint."""
        _check_name("deployment", name)
        return self._put((_DEPLOYMENT, self.endpoint(endpoint).name, name), properties, sent, operation)

    def delete_endpoint(self, name: str) -> bool:
        """Remove an endpoint and its deployments; False when there is none. Jobs that run go on."""
        with self._context.documents.transaction():
            for deployment in self._context.documents.select_named(_DEPLOYMENT, name).all():
                self._context.documents.delete(_DEPLOYMENT, name, deployment.version)
            return self._context.documents.delete(_ENDPOINT, name)

    def delete_deployment(self, endpoint: str, name: str) -> bool:
        """Remove a deployment; False when there is none. Raises `BadRequest` for the endpoint's default."""
        if default_of(self.endpoint(endpoint)) == name:
            raise BadRequest(
                f"Deployment '{name}' is the default of endpoint '{endpoint}' and cannot be deleted. Make another one "
                "the default, or delete the endpoint."
            )
        return self._context.documents.delete(_DEPLOYMENT, endpoint, name)

    def _put(
        self,
        key: tuple[str, str, str],
        properties: Mapping[str, Any],
        sent: Sent,
        operation: str,
        api_version: str = "",
    ) -> Document:
        kind, name, version = key
        with self._context.documents.transaction():
            known = self._context.documents.get(kind, name, version)
            now = self._context.now()
            body = {
                "properties": dict(properties),
                "tags": arm_tags(sent),
                "created": known.body["created"] if known else now,
                "modified": now,
                "operation": operation,
                "apiVersion": known.body["apiVersion"] if known else api_version,
            }
            return self._context.documents.put(kind, name, body, version)


def default_of(endpoint: Document) -> str | None:
    """Return the name of an endpoint's default deployment, if it has one."""
    name: str | None = endpoint.body["properties"]["defaults"]["deploymentName"]
    return name


def own_properties(sent: Sent) -> dict[str, str]:
    """Return the properties that are the user's own: an update sends back what an answer had added to them."""
    return {key: value for key, value in texts(sent, "properties").items() if key not in ADDED}


def _check_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"The {what} name {name!r} is not valid: it holds 3 to 32 letters, digits and '-', starts with a letter "
            "and does not end with '-'."
        )


def _default(sent: Sent) -> str | None:
    """Return the name of a default deployment. Raises `BadRequest` for a key that would change nothing, unseen."""
    unknown = ", ".join(key for key in sent if key != "deploymentName")
    if unknown:
        raise BadRequest(f"The endpoint's defaults have the one key 'deploymentName', not {unknown}.")
    return text(sent, "deploymentName")


def _check_tags(tags: Mapping[str, Any]) -> None:
    """Raise `BadRequest` for a tag without a value, as Azure ML does (azure-sdk-for-python, issues 41586 and 44114)."""
    empty = ", ".join(name for name, value in tags.items() if value in (None, ""))
    if empty:
        raise BadRequest(f"The endpoint's tag values must not be null or empty; empty are: {empty}.")


def no_endpoint(name: str, workspace: str) -> ApiError:
    """Return the 404 of an endpoint; batch endpoints have a code and a detail of their own."""
    return _missing("NoSuchEndpoint", f"There is no endpoint with name: {name} in {workspace}")


def no_deployment(name: str, endpoint: str) -> ApiError:
    """Return the 404 of a deployment."""
    return _missing("NoSuchDeployment", f"There is no deployment with name: {name} in endpoint {endpoint}")


def _missing(code: str, detail: str) -> ApiError:
    return ApiError(404, "The specified resource was not found.", code="NotFound", details=[(code, detail)])
