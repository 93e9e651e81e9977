"""Jobs as they are kept: what was submitted, where they stand, how they ended."""

from collections.abc import Mapping
from typing import Any

from amlocal.assets.store import check_name
from amlocal.core.context import Context
from amlocal.core.documents import Document
from amlocal.core.errors import Conflict, NotFound
from amlocal.core.wire import string_map
from amlocal.jobs.states import Status, may_follow

_KIND = "job"
# What a second PUT or a PATCH of run history may change of a job.
_MUTABLE = ("displayName", "description", "tags", "properties", "isArchived")
# What must agree when the same name is PUT again: then it is the same submission, sent twice.
_SUBMITTED = ("command", "environmentId", "computeId", "codeId", "inputs", "environmentVariables", "experimentName")


class JobStore:
    """Keeps jobs. A document holds `properties` (the wire's), `status`, dates, `error`, `warnings` and `outputs`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get(self, name: str) -> Document:
        """Return a job. Raises `NotFound`."""
        found = self._context.documents.get(_KIND, name)
        if found is None:
            raise NotFound(f"Job {name} not found in workspace {self._context.identity.name}.")
        return found

    def find(self, name: str) -> Document | None:
        """Return a job, or None."""
        return self._context.documents.get(_KIND, name)

    def unfinished(self) -> list[Document]:
        """Return the jobs that have not ended, oldest first."""
        return [document for document in reversed(self.list()) if not Status(document.body["status"]).ended]

    def list(self) -> list[Document]:
        """Return all jobs, newest first."""
        return self._context.documents.list(_KIND)

    def status(self, name: str) -> Status:
        """Return where a job stands. Raises `NotFound`."""
        return Status(self.get(name).body["status"])

    def create(self, name: str, properties: Mapping[str, Any]) -> Document:
        """Keep a new job; it starts as `Starting`, as Azure's first answer says."""
        check_name(name, "job name")
        body: dict[str, Any] = {
            "properties": dict(properties),
            "status": Status.STARTING,
            "created": self._context.now(),
            "started": None,
            "ended": None,
            "error": None,
            "warnings": [],
            "outputs": {},
        }
        return self._context.documents.put(_KIND, name, body)

    def resubmit(self, known: Document, properties: Mapping[str, Any]) -> Document:
        """Take a PUT of a name that exists: never runs twice. Raises `Conflict` for another definition."""
        kept = known.body["properties"]
        for key in _SUBMITTED:
            if kept.get(key) != properties.get(key):
                raise Conflict(f"Job {known.name} already exists with another {key}. Use a new name.")
        return self.change(known.name, {key: properties[key] for key in _MUTABLE if properties.get(key) is not None})

    def change(self, name: str, changes: Mapping[str, Any]) -> Document:
        """Change what may change of a job. Raises `NotFound`."""
        with self._context.documents.transaction():
            body = dict(self.get(name).body)
            properties = dict(body["properties"])
            for key in _MUTABLE:
                if key in changes:
                    value = changes[key]
                    properties[key] = string_map(value) if key in ("tags", "properties") else value
            return self._context.documents.put(_KIND, name, body | {"properties": properties})

    def advance(self, name: str, status: Status, **facts: Any) -> bool:
        """Move a job on and keep `facts` with it; False, and nothing changes, when the step is not allowed now."""
        with self._context.documents.transaction():
            body = dict(self.get(name).body)
            if not may_follow(Status(body["status"]), status):
                return False
            now = self._context.now()
            dates = {"started": now} if status == Status.RUNNING else {"ended": now} if status.ended else {}
            self._context.documents.put(_KIND, name, body | dates | facts | {"status": status})
            return True

    def note(self, name: str, **facts: Any) -> None:
        """Keep facts with a job, whatever its status."""
        with self._context.documents.transaction():
            self._context.documents.put(_KIND, name, dict(self.get(name).body) | facts)

    def delete(self, name: str) -> bool:
        """Remove a job; False when there is none."""
        return self._context.documents.delete(_KIND, name)
