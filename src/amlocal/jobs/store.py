"""Jobs as they are kept: what was submitted, their status, how they ended."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from amlocal.core.context import Context
from amlocal.core.documents import Document, Listing, Term, tag_filter, tag_terms, views_of
from amlocal.core.errors import BadRequest, Conflict, NotFound
from amlocal.jobs.status import Status, may_follow

SERVERLESS = ""  # the queue of jobs that name no compute
KIND = "job"
# A job's name is its run's id in MLflow, which takes no dot.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
# What a second PUT or a PATCH of run history may change of a job.
_MUTABLE = ("displayName", "description", "tags", "properties", "isArchived")
# What must agree when the same name is PUT again: then it is the same submission, sent twice.
_SUBMITTED = ("command", "environmentId", "computeId", "codeId", "inputs", "environmentVariables", "experimentName")
_UNFINISHED, _UNSYNCED = ("unfinished",), ("unsynced",)
Listener = Callable[[str], None]  # gets the name of a job that changed
STEP = "azureml.batchscoringstep"  # the property of a pipeline job that names its step


class JobStore:
    """Keeps jobs.

    A document holds `properties` (the wire's), `status`, dates, `error`, `warnings`, and `revision`: how often what is
    to be seen of it has changed. `tracked` is the last revision that tracking has.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listeners: list[Listener] = []
        context.documents.index(KIND, _terms)

    def subscribe(self, listener: Listener) -> None:
        """Have `listener` called after every change of a job that is to be seen."""
        self._listeners.append(listener)

    def get(self, name: str) -> Document:
        """Return a job. Raises `NotFound`."""
        found = self.find(name)
        if found is None:
            raise NotFound(f"Job {name} not found in workspace {self._context.identity.name}.")
        return found

    def find(self, name: str) -> Document | None:
        """Return a job, or None."""
        return self._context.documents.get(KIND, name)

    def find_all(self, names: Sequence[str]) -> list[Document | None]:
        """Return what `find` returns for each name."""
        return self._context.documents.get_all(KIND, names)

    def unfinished(self) -> list[Document]:
        """Return the jobs that have not ended, oldest first."""
        return self._context.documents.select(KIND, _UNFINISHED).all()[::-1]

    def unsynced(self) -> list[str]:
        """Return the jobs of which tracking has not seen the last change."""
        return [document.name for document in self._context.documents.select(KIND, _UNSYNCED).all()]

    def listed(self, view: str = "All", *, tag: str = "", kind: str = "") -> Listing:
        """Return the list of the jobs in a view that are no job's children, with the tag and of the kind if given."""
        terms: list[Term] = [(view, *term) for term in tag_filter(tag)]
        if kind:
            terms.append((view, "jobType", kind))
        return self._context.documents.select(KIND, *(terms or [(view,)]))

    def children(self, name: str) -> Listing:
        """Return the list of a job's children."""
        return self._context.documents.select(KIND, ("child", name))

    def status(self, name: str) -> Status:
        """Return a job's status. Raises `NotFound`."""
        return Status(self.get(name).body["status"])

    def runs(self, name: str) -> bool:
        """Return whether a job's command may be running: from its preparation until its results are collected."""
        found = self.find(name)
        return found is not None and Status(found.body["status"]).active

    def create(self, name: str, properties: Mapping[str, Any]) -> Document:
        """Keep a new job; it starts as `Starting`, as Azure's first answer says. Raises `BadRequest` for its name."""
        if not _NAME.fullmatch(name):
            raise BadRequest(
                f"The job name {name!r} is not valid: it starts with a letter or digit and holds letters, digits, "
                "'-' and '_', at most 255."
            )
        body: dict[str, Any] = {
            "properties": dict(properties),
            "status": Status.STARTING,
            "created": self._context.now(),
            "started": None,
            "ended": None,
            "error": None,
            "warnings": [],
            "revision": 0,
            "tracked": None,
        }
        return self._notify(self._put(name, body))

    def resubmit(self, known: Document, properties: Mapping[str, Any]) -> Document:
        """Take a PUT of a name that exists: never runs twice. Raises `Conflict` for another definition."""
        kept = known.body["properties"]
        for key in _SUBMITTED:
            if kept.get(key) != properties.get(key):
                raise Conflict(f"Job {known.name} already exists with another {key}. Use a new name.")
        return self.change(known.name, {key: properties[key] for key in _MUTABLE if properties.get(key) is not None})

    def change(self, name: str, changes: Mapping[str, Any]) -> Document:
        """Change what may change of a job. Raises `NotFound`.

        Properties can be added, not changed, as in Azure ML's run history: the service's own are among them.
        """
        with self._context.documents.transaction():
            body = dict(self.get(name).body)
            properties = body["properties"] | {key: changes[key] for key in _MUTABLE if key in changes}
            properties["properties"] = dict(changes.get("properties") or {}) | body["properties"]["properties"]
            document = self._put(name, body | {"properties": properties})
        return self._notify(document)

    def keep_outputs(self, name: str, outputs: Mapping[str, Any]) -> None:
        """Keep where the named outputs of a job are."""
        with self._context.documents.transaction():
            body = dict(self.get(name).body)
            document = self._put(name, body | {"properties": body["properties"] | {"outputs": dict(outputs)}})
        self._notify(document)

    def advance(self, name: str, status: Status, **facts: Any) -> bool:
        """Move a job on and keep `facts` with it; False, and nothing changes, when the step is not allowed now."""
        with self._context.documents.transaction():
            body = dict(self.get(name).body)
            if not may_follow(Status(body["status"]), status):
                return False
            now = self._context.now()
            dates = {"started": now} if status == Status.RUNNING else {"ended": now} if status.ended else {}
            document = self._put(name, body | dates | facts | {"status": status})
        self._notify(document)
        return True

    def mark_synced(self, name: str, revision: int) -> None:
        """Note which revision tracking has; a job deleted meanwhile stays deleted."""
        with self._context.documents.transaction():
            if (found := self.find(name)) is not None:
                self._context.documents.put(KIND, name, dict(found.body) | {"tracked": revision})

    def delete(self, name: str) -> bool:
        """Remove a job; False when there is none."""
        return self._context.documents.delete(KIND, name)

    def _put(self, name: str, body: dict[str, Any]) -> Document:
        return self._context.documents.put(KIND, name, body | {"revision": body["revision"] + 1})

    def _notify(self, document: Document) -> Document:
        for listener in self._listeners:
            listener(document.name)
        return document


def _terms(document: Document) -> Iterator[Term]:
    body, properties = document.body, document.body["properties"]
    if not Status(body["status"]).ended:
        yield _UNFINISHED
    if not is_synced(document):
        yield _UNSYNCED
    if (parent := properties["parentJobName"]) is not None:
        yield ("child", parent)  # children are listed by their parent
        return
    for view in views_of(properties["isArchived"]):
        yield (view,)
        yield (view, "jobType", properties["jobType"])
        for term in tag_terms(properties["tags"]):
            yield (view, *term)


def is_synced(document: Document) -> bool:
    """Return whether tracking has seen the last change of a job."""
    return bool(document.body["tracked"] == document.body["revision"])


def step_of(document: Document) -> str | None:
    """Return the name of the step of a pipeline job, None for any other job."""
    name: str | None = document.body["properties"]["properties"].get(STEP)
    return name


def compute_of(document: Document) -> str:
    """Return the name of a job's compute, `SERVERLESS` when it names none."""
    return compute_name(document.body["properties"].get("computeId"))


def compute_name(reference: str | None) -> str:
    """Return the name in a reference to a compute, `SERVERLESS` for none."""
    return (reference or SERVERLESS).rstrip("/").rpartition("/")[2].removeprefix("azureml:")
