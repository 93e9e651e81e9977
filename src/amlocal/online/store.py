"""Endpoints and deployments as they are kept."""

from collections.abc import Mapping
from typing import Any

from amlocal.core.context import Context
from amlocal.core.documents import Document, Listing
from amlocal.core.errors import ApiError

_ENDPOINT, _DEPLOYMENT = "onlineEndpoint", "onlineDeployment"


class OnlineStore:
    """Keeps endpoints by name, deployments by endpoint and name; names are kept in lower case, as Azure compares them.

    A deployment's document holds what was asked for last (`properties`, `capacity`, `state`) and what serves
    (`serving`: the properties and capacity of the last rollout that succeeded, or None).
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents = context.documents

    def endpoint(self, name: str) -> Document:
        """Return an endpoint. Raises `ApiError` 404."""
        found = self.find_endpoint(name)
        if found is None:
            raise _missing("NoSuchEndpoint", f"There is no endpoint with name: {name} in {self._context.identity.name}")
        return found

    def find_endpoint(self, name: str) -> Document | None:
        """Return an endpoint, or None."""
        return self._documents.get(_ENDPOINT, name.lower())

    def recall_endpoint(self, name: str) -> Document | None:
        """Return what `find_endpoint` does, without reading the disk for each request that is scored; read it only."""
        return self._documents.recall(_ENDPOINT, name.lower())

    def endpoints(self) -> Listing:
        """Return the list of all endpoints."""
        return self._documents.select(_ENDPOINT)

    def put_endpoint(self, name: str, body: Mapping[str, Any]) -> Document:
        """Write an endpoint; the dates are seen to."""
        known = self.find_endpoint(name)
        now = self._context.now()
        dates = {"created": known.body["created"] if known else now, "modified": now}
        return self._documents.put(_ENDPOINT, name.lower(), {**body, **dates})

    def delete_endpoint(self, name: str) -> None:
        """Remove an endpoint and its deployments."""
        with self._documents.transaction():
            for deployment in self.deployments(name).all():
                self.delete_deployment(name, deployment.version)
            self._documents.delete(_ENDPOINT, name.lower())

    def deployment(self, endpoint: str, name: str) -> Document:
        """Return a deployment. Raises `ApiError` 404."""
        self.endpoint(endpoint)
        found = self.find_deployment(endpoint, name)
        if found is None:
            raise _missing("NoSuchDeployment", f"There is no deployment with name: {name} in endpoint {endpoint}")
        return found

    def find_deployment(self, endpoint: str, name: str) -> Document | None:
        """Return a deployment, or None."""
        return self._documents.get(_DEPLOYMENT, endpoint.lower(), name.lower())

    def deployments(self, endpoint: str) -> Listing:
        """Return the list of the deployments of an endpoint."""
        return self._documents.select_named(_DEPLOYMENT, endpoint.lower())

    def all_deployments(self) -> list[Document]:
        """Return the deployments of all endpoints."""
        return self._documents.select(_DEPLOYMENT).all()

    def put_deployment(self, endpoint: str, name: str, changes: Mapping[str, Any]) -> Document:
        """Write `changes` over a deployment, or a new one; the dates are seen to."""
        known = self.find_deployment(endpoint, name)
        now = self._context.now()
        before: Mapping[str, Any] = known.body if known else {"created": now, "serving": None}
        return self._documents.put(_DEPLOYMENT, endpoint.lower(), {**before, **changes, "modified": now}, name.lower())

    def delete_deployment(self, endpoint: str, name: str) -> bool:
        """Remove a deployment; False when there is none."""
        return self._documents.delete(_DEPLOYMENT, endpoint.lower(), name.lower())


def _missing(code: str, detail: str) -> ApiError:
    return ApiError(404, "The specified resource was not found.", code="NotFound", details=[(code, detail)])
