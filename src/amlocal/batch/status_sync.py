"""Keeps a pipeline job in step with the one job in it, and hands a cancel of it down."""

from collections.abc import Callable

from amlocal.core.documents import Document
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore, step_of


class StatusSync:
    """Listens to the store of jobs; `cancel` asks a job to end."""

    def __init__(self, jobs: JobStore, cancel: Callable[[str], None]) -> None:
        self._jobs = jobs
        self._cancel = cancel

    def start(self) -> None:
        """Follow every change from now on."""
        self._jobs.subscribe(self._changed)

    def _changed(self, name: str) -> None:
        document = self._jobs.get(name)
        properties = document.body["properties"]
        if step := step_of(document):
            if document.body["status"] == Status.CANCEL_REQUESTED and self._jobs.find(step):
                self._cancel(step)
        elif parent := properties["parentJobName"]:
            self._follow(parent, document)

    def _follow(self, parent: str, step: Document) -> None:
        found = self._jobs.find(parent)
        if found is None or step_of(found) != step.name or found.body["status"] == step.body["status"]:
            return
        error = {"error": step.body["error"]} if step.body["error"] else {}
        ended = Status(step.body["status"])
        if not self._jobs.advance(parent, ended, **error) and ended.ended:
            # It was to be canceled, and the step was quicker.
            self._jobs.advance(parent, Status.CANCELED)
