"""A job's outputs: where they are, how they are uploaded and registered, and what the job's token may write."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlocal.assets.lookup import AssetLookup
from amlocal.assets.store import AssetStore
from amlocal.blobs import BlobStore
from amlocal.core.context import Identity
from amlocal.core.documents import Document
from amlocal.core.errors import ApiError, NotFound
from amlocal.core.uris import datastore_reference
from amlocal.datastores.store import ARTIFACT_CONTAINER, ARTIFACTS, DEFAULT, Datastores, Location
from amlocal.jobs.folder import ARTIFACT_FOLDERS, LOG_FOLDER, JobFolder, WriteLog
from amlocal.jobs.store import JobStore

DIRECT = "Direct"  # the mode in which a command gets a URI in place of a path
ARTIFACT_OUTPUTS = ("artifacts", "default")
_DATA_TYPES = ("uri_file", "uri_folder", "mltable")
OutputSpecs = Mapping[str, Mapping[str, Any]]
_READ = frozenset("rl")
_WRITE = frozenset("racwdl")
NO_PERMISSIONS: frozenset[str] = frozenset()


def artifact_path(job: str, path: str = "") -> str:
    """Return the path of a job's artifact in `workspaceartifactstore`."""
    return f"ExperimentRun/dcid.{job}/{path}".rstrip("/")


def planned_location(here: Identity, job: str, output: str, spec: Mapping[str, Any]) -> tuple[str, str]:
    """Return the datastore and path that a named output goes to: the one asked for, else Azure ML's default."""
    if spec.get("uri") and (found := datastore_reference(here, spec["uri"])):
        return found[0], found[1].strip("/")
    return DEFAULT, f"azureml/{job}/{output}"


class JobOutputs:
    """Finds what jobs left behind. `exists` says whether a datastore holds a blob or folder at a path."""

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


@dataclass(slots=True)
class ContainedFiles:
    """The files below `folder`, or `folder` itself when it is a file, as far as they really are below `root`.

    Links are followed as long as they stay below `root`, a job's folder: a link to anything else of this machine is
    not content that the job made. Those are in `outside_links` once the iteration has ended. Sockets, pipes and broken
    links are left out too.
    """

    folder: Path
    root: Path
    outside_links: list[Path] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, Path]]:
        """Yield each file's path relative to `folder`, slashes between ("." for `folder` itself), and its place."""
        for path in self._below(self.folder, ()):
            yield path.relative_to(self.folder).as_posix(), path

    def _below(self, path: Path, above: tuple[Path, ...]) -> Iterator[Path]:
        if not path.exists():
            return
        real = path.resolve()
        if not real.is_relative_to(self.root.resolve()):
            self.outside_links.append(path)
        elif path.is_dir() and real not in above:
            for entry in sorted(path.iterdir()):
                yield from self._below(entry, (*above, real))
        elif path.is_file():
            yield path


class OutputCollector:
    """Keeps a job's results. Uploads block: call them in a worker thread. They raise `AmlocalError` and `OSError`."""

    def __init__(self, blobs: BlobStore, datastores: Datastores, data: AssetStore, models: AssetStore) -> None:
        self._blobs = blobs
        self._datastores = datastores
        self._data = data
        self._models = models

    def artifacts(self, job: str, folder: JobFolder, write_log: WriteLog) -> None:
        """Upload `./outputs` and `./logs`."""
        for name in ARTIFACT_FOLDERS:
            files = ContainedFiles(folder.work / name, folder.root)
            self._upload(files, ARTIFACT_CONTAINER, artifact_path(job, name), write_log)

    def log(self, job: str, folder: JobFolder) -> None:
        """Upload the log, and those of a distributed job's processes, which are then read from blob storage."""
        for name, log in ContainedFiles(folder.logs, folder.root):
            if log.suffix == ".txt":
                path = artifact_path(job, f"{LOG_FOLDER}/{name}")
                self._blobs.put_file(ARTIFACT_CONTAINER, path, log, content_type="text/plain")

    def outputs(
        self, job: str, specs: OutputSpecs, folder: JobFolder, write_log: WriteLog
    ) -> dict[str, dict[str, Any]]:
        """Upload the named outputs; return the specs, with URIs, of those in which the command left something."""
        return {
            name: {**spec, "uri": uri}
            for name, spec in specs.items()
            if (uri := self._output(job, name, spec, folder, write_log))
        }

    def register(self, job: str, uploaded: OutputSpecs) -> dict[str, dict[str, Any]]:
        """Make assets of the outputs that name one; return the specs with the versions.

        Quick, and to be called on the event loop: nothing comes between the choice of a version and its use.
        """
        return {
            name: {**spec, "assetVersion": self._register(job, spec) if spec["assetName"] else spec["assetVersion"]}
            for name, spec in uploaded.items()
        }

    def forget(self, job: str) -> None:
        """Remove a job's artifacts and log."""
        self._blobs.delete_tree(ARTIFACT_CONTAINER, artifact_path(job))

    def _output(
        self, job: str, name: str, spec: Mapping[str, Any], folder: JobFolder, write_log: WriteLog
    ) -> str | None:
        datastore, path = planned_location(self._datastores.here, job, name, spec)
        files = ContainedFiles(folder.outputs / name, folder.root)
        if spec["mode"] == DIRECT:
            write_log(f"output {name}: the command writes to its URI itself")
        elif not self._upload(files, self._datastores.container_of(datastore), path, write_log):
            write_log(f"output {name}: the command left nothing there")
            return None
        slash = "" if spec["jobOutputType"] == "uri_file" else "/"
        return f"azureml://datastores/{datastore}/paths/{path}{slash}"

    def _upload(self, files: ContainedFiles, container: str, path: str, write_log: WriteLog) -> int:
        """Write the files as blobs at or below a path; return how many."""
        found = dict(files)
        for relative, file in found.items():
            self._blobs.put_file(container, path if relative == "." else f"{path}/{relative}", file)
        for link in files.outside_links:
            write_log(
                f"{link.relative_to(files.root)} was not kept: it leads out of the job's folder, to {link.resolve()}"
            )
        return len(found)

    def _register(self, job: str, spec: Mapping[str, Any]) -> str:
        kind, name = spec["jobOutputType"], spec["assetName"]
        store = self._data if kind in _DATA_TYPES else self._models
        version = spec["assetVersion"] or store.next_version(name)
        place = {"dataUri": spec["uri"], "dataType": kind} if kind in _DATA_TYPES else {
            "modelUri": spec["uri"], "modelType": kind, "jobName": job
        }  # fmt: skip
        store.put(name, version, place | {"description": spec["description"]})
        return str(version)


class JobPermissions:
    """The permissions of jobs' tokens, in the letters of Azure Storage's signatures (`racwdl`)."""

    def __init__(self, here: Identity, store: JobStore, lookup: AssetLookup, datastores: Datastores) -> None:
        self._here = here
        self._store = store
        self._lookup = lookup
        self._datastores = datastores

    def permissions(self, job: str, container: str, path: str) -> frozenset[str]:
        """Return what a job may do with the blob at a path or, when the path ends in a slash, with all below it."""
        document = self._store.find(job)
        if document is None:
            return NO_PERMISSIONS
        if any(_holds(place, container, path) for place in self._outputs(document)):
            return _WRITE
        if any(_holds(place, container, path) for place in self._inputs(document)):
            return _READ
        return NO_PERMISSIONS

    def _outputs(self, document: Document) -> Iterator[Location]:
        yield Location(ARTIFACT_CONTAINER, artifact_path(document.name))
        for name, spec in (document.body["properties"]["outputs"] or {}).items():
            datastore, path = planned_location(self._here, document.name, name, spec)
            yield Location(self._datastores.container_of(datastore), path)

    def _inputs(self, document: Document) -> Iterator[Location]:
        properties = document.body["properties"]
        uris = [spec["uri"] for spec in (properties["inputs"] or {}).values() if spec.get("uri")]
        if properties.get("codeId"):
            uris.append(self._lookup.code(properties["codeId"]).body["properties"]["codeUri"])
        for uri in uris:
            try:
                place = self._lookup.locate(uri)
            except ApiError:  # deleted since the job was sent: there is nothing left to read
                continue
            if isinstance(place, Location):
                yield place


def _holds(place: Location, container: str, path: str) -> bool:
    root = place.path.strip("/")
    return place.container == container and (not root or path == root or path.startswith(f"{root}/"))
