"""What a job leaves behind: artifacts, log, named outputs, and the assets registered from them."""

from collections.abc import Mapping
from typing import Any

from amlocal.assets.store import AssetStore
from amlocal.blobs import BlobStore
from amlocal.datastores.store import ARTIFACT_CONTAINER, Datastores
from amlocal.jobs.folder import ARTIFACT_FOLDERS, LOG_FOLDER, JobFolder, Say
from amlocal.jobs.outputs import DIRECT, artifact_path, planned_location
from amlocal.jobs.own_files import OwnFiles

_DATA_TYPES = ("uri_file", "uri_folder", "mltable")

Specs = Mapping[str, Mapping[str, Any]]


class Collector:
    """Keeps a job's results. Uploads block: call them in a worker thread. They raise `AmlocalError` and `OSError`."""

    def __init__(self, blobs: BlobStore, datastores: Datastores, data: AssetStore, models: AssetStore) -> None:
        self._blobs = blobs
        self._datastores = datastores
        self._data = data
        self._models = models

    def artifacts(self, job: str, folder: JobFolder, say: Say) -> None:
        """Upload `./outputs` and `./logs`."""
        for name in ARTIFACT_FOLDERS:
            files = OwnFiles(folder.work / name, folder.root)
            self._upload(files, ARTIFACT_CONTAINER, artifact_path(job, name), say)

    def log(self, job: str, folder: JobFolder) -> None:
        """Upload the log, and those of a distributed job's processes, which are then read from blob storage."""
        for name, log in OwnFiles(folder.logs, folder.root):
            if log.suffix == ".txt":
                path = artifact_path(job, f"{LOG_FOLDER}/{name}")
                self._blobs.put_file(ARTIFACT_CONTAINER, path, log, content_type="text/plain")

    def outputs(self, job: str, specs: Specs, folder: JobFolder, say: Say) -> dict[str, dict[str, Any]]:
        """Upload the named outputs; return the specs, with URIs, of those in which the command left something."""
        return {
            name: {**spec, "uri": uri}
            for name, spec in specs.items()
            if (uri := self._output(job, name, spec, folder, say))
        }

    def register(self, job: str, uploaded: Specs) -> dict[str, dict[str, Any]]:
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

    def _output(self, job: str, name: str, spec: Mapping[str, Any], folder: JobFolder, say: Say) -> str | None:
        datastore, path = planned_location(self._datastores.here, job, name, spec)
        files = OwnFiles(folder.outputs / name, folder.root)
        if spec["mode"] == DIRECT:
            say(f"output {name}: the command writes to its URI itself")
        elif not self._upload(files, self._datastores.container_of(datastore), path, say):
            say(f"output {name}: the command left nothing there")
            return None
        slash = "" if spec["jobOutputType"] == "uri_file" else "/"
        return f"azureml://datastores/{datastore}/paths/{path}{slash}"

    def _upload(self, files: OwnFiles, container: str, path: str, say: Say) -> int:
        """Write the files as blobs at or below a path; return how many."""
        found = dict(files)
        for relative, file in found.items():
            self._blobs.put_file(container, path if relative == "." else f"{path}/{relative}", file)
        for link in files.strangers:
            say(f"{link.relative_to(files.root)} was not kept: it leads out of the job's folder, to {link.resolve()}")
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
