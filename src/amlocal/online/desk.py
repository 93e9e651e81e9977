"""What the ARM faces of endpoints and of deployments work with, and how both answer a write."""

from dataclasses import dataclass

from amlocal.core.context import Context
from amlocal.core.http import Json, Reply
from amlocal.core.operations import Operations
from amlocal.online.bodies import Bodies
from amlocal.online.rollouts import Rollouts
from amlocal.online.store import OnlineStore


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts that both faces share."""

    context: Context
    store: OnlineStore
    bodies: Bodies
    operations: Operations
    rollouts: Rollouts

    def written(self, operation: str, body: Json) -> Reply:
        """Return the answer to a PUT: 201 for an update too, and where to follow the operation (WIRE, "Online")."""
        return Reply(201, body, self._headers(operation, f"{self.context.origin}{body['id']}"))

    def patched(self, operation: str, body: Json) -> Reply:
        """Return the answer to a PATCH: 202, and where to follow the operation."""
        return Reply(202, body, self._headers(operation, f"{self.context.origin}{body['id']}"))

    def deleted(self, prefix: str) -> Reply:
        """Return the answer to a DELETE whose work is done; `prefix` is Azure's for the kind of operation."""
        operation = self.operations.start(prefix, status="Updating")
        self.operations.finish(operation)
        return Reply(
            202, b"null", self._headers(operation, self.operations.status_url(operation, face="mfeOperationResults"))
        )

    def _headers(self, operation: str, location: str) -> dict[str, str]:
        timeout = {"x-ms-async-operation-timeout": "PT30M"}
        return self.operations.headers(operation) | {"Location": location} | timeout
