"""What a job leaves behind: artifacts, log, named outputs, and the assets registered from them."""

from collections.abc import Mapping
from typing import Any

from amlocal.assets.store import AssetStore
from amlocal.blobs import BlobStore
from amlocal.datastores.store import ARTIFACT_CONTAINER, Datastores
from amlocal.jobs.folder import LOG_NAME, JobFolder
from amlocal.jobs.outputs import artifact_path, planned_location

_ARTIFACT_FOLDERS = ("outputs", "logs")  # below the current folder of the command, as Azure ML collects them
_DATA_TYPES = ("uri_file", "uri_folder", "mltable")


class Collector:
    """Uploads a job's results. Blocks: call it in a worker thread."""

    def __init__(self, blobs: BlobStore, datastores: Datastores, data: AssetStore, models: AssetStore) -> None:
        self._blobs = blobs
        self._datastores = datastores
        self._data = data
        self._models = models

    def artifacts(self, job: str, folder: JobFolder) -> None:
        """Upload `./outputs` and `./logs`."""
        for name in _ARTIFACT_FOLDERS:
            source = folder.work / name
            if source.is_dir():
                self._blobs.put_tree(ARTIFACT_CONTAINER, artifact_path(job, name), source)

    def log(self, job: str, folder: JobFolder) -> None:
        """Upload the log, which is then read from blob storage."""
        if folder.log.exists():
            self._blobs.put_file(
                ARTIFACT_CONTAINER, artifact_path(job, LOG_NAME), folder.log, content_type="text/plain"
            )

    def outputs(self, job: str, specs: Mapping[str, Mapping[str, Any]], folder: JobFolder) -> dict[str, dict[str, Any]]:
        """Upload the named outputs and register those with an asset name; return the specs with URI and version."""
        return {name: self._output(job, name, dict(spec), folder) for name, spec in specs.items()}

    def _output(self, job: str, name: str, spec: dict[str, Any], folder: JobFolder) -> dict[str, Any]:
        datastore, path = planned_location(job, name, spec)
        container = self._datastores.container_of(datastore)
        source = folder.outputs / name
        if source.is_file():
            self._blobs.put_file(container, path, source)
        else:
            self._blobs.put_tree(container, path, source)
        slash = "" if spec["jobOutputType"] == "uri_file" else "/"
        spec["uri"] = f"azureml://datastores/{datastore}/paths/{path}{slash}"
        if spec["assetName"]:
            spec["assetVersion"] = self._register(job, spec)
        return spec

    def _register(self, job: str, spec: Mapping[str, Any]) -> str:
        kind, name = spec["jobOutputType"], spec["assetName"]
        store = self._data if kind in _DATA_TYPES else self._models
        version = spec["assetVersion"] or store.next_version(name)
        place = {"dataUri": spec["uri"], "dataType": kind} if kind in _DATA_TYPES else {
            "modelUri": spec["uri"], "modelType": kind, "jobName": job
        }  # fmt: skip
        store.put(name, version, place | {"description": spec["description"]})
        return str(version)
