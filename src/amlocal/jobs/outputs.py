"""Where a job's outputs are: its artifacts, and the outputs it named."""

from collections.abc import Callable, Mapping
from typing import Any

from amlocal.core.context import Identity
from amlocal.core.documents import Document
from amlocal.core.errors import NotFound
from amlocal.core.uris import datastore_reference
from amlocal.datastores.store import ARTIFACTS, DEFAULT
from amlocal.jobs.store import JobStore

DIRECT = "Direct"  # the mode in which a command gets a URI in place of a path
ARTIFACT_OUTPUTS = ("artifacts", "default")


def artifact_path(job: str, path: str = "") -> str:
    """Return the path of a job's artifact in `workspaceartifactstore`."""
    return f"ExperimentRun/dcid.{job}/{path}".rstrip("/")


def planned_location(here: Identity, job: str, output: str, spec: Mapping[str, Any]) -> tuple[str, str]:
    """Return the datastore and path that a named output goes to: the one asked for, else Azure ML's default."""
    if spec.get("uri") and (found := datastore_reference(here, spec["uri"])):
        return found[0], found[1].strip("/")
    return DEFAULT, f"azureml/{job}/{output}"


class JobOutputs:
    """Finds what jobs left behind. `exists` tells whether a datastore holds a blob or folder at a path."""

    def __init__(self, here: Identity, store: JobStore, exists: Callable[[str, str], bool]) -> None:
        self._here = here
        self._store = store
        self._exists = exists

    def resolve(self, job: str, output: str, path: str) -> tuple[str, str]:
        """Return datastore and path of something in a job's output. Raises `NotFound` when it is not there."""
        document = self._store.get(job)
        datastore, root = self.root(document, output)
        full = f"{root}/{path}".rstrip("/")
        if not self._exists(datastore, full):
            where = f"'{path}' in the output '{output}' of job {job}" if path else f"the output '{output}' of job {job}"
            raise NotFound(f"There is nothing at {where} (status {document.body['status']}).")
        return datastore, full

    def root(self, document: Document, output: str) -> tuple[str, str]:
        """Return datastore and path of an output. Raises `NotFound` for a name that the job does not have."""
        if output in ARTIFACT_OUTPUTS:
            return ARTIFACTS, artifact_path(document.name)
        specs = document.body["properties"]["outputs"] or {}
        if output not in specs:
            known = ", ".join(sorted({*ARTIFACT_OUTPUTS, *specs}))
            raise NotFound(f"Job {document.name} has no output '{output}'; it has {known}.")
        return planned_location(self._here, document.name, output, specs[output])
