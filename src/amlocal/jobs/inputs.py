"""A job's inputs on this machine: copies that the job may read, and cannot spoil for others."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.assets.lookup import AssetLookup, Remote
from amlocal.blobs import BlobStore
from amlocal.datastores.store import Location
from amlocal.jobs.download import download
from amlocal.jobs.failure import Interrupted, JobFailure
from amlocal.jobs.folder import Say
from amlocal.jobs.outputs import DIRECT

_WRITABLE = ("ReadWriteMount",)


class Inputs:
    """Brings inputs into a job's folder."""

    def __init__(self, lookup: AssetLookup, blobs: BlobStore) -> None:
        self._lookup = lookup
        self._blobs = blobs

    def materialise(
        self, specs: Mapping[str, Mapping[str, Any]], folder: Path, say: Say, stop: threading.Event
    ) -> dict[str, str]:
        """Return what each input's placeholder stands for. Blocks; `stop` ends it between two pieces.

        As on Azure, an input's folder is called `INPUT_` and its name.

        Raises `JobFailure` for content that is not there, `Interrupted`.
        """
        return {name: self._one(name, spec, folder / f"INPUT_{name}", say, stop) for name, spec in specs.items()}

    def fetch_code(self, reference: str, folder: Path) -> None:
        """Copy a code snapshot into `folder`. Raises `JobFailure` when it is not in this workspace's storage."""
        uri = self._lookup.code(reference).body["properties"]["codeUri"]
        place = self._lookup.locate(uri)
        if isinstance(place, Remote):
            raise JobFailure(f"The code at {uri} is not in this workspace's storage.")
        if self._is_file(place):
            self._blobs.fetch_file(place.container, place.path, folder / place.path.rpartition("/")[2])
        elif self._blobs.fetch_tree(place.container, place.path, folder) == 0:
            raise JobFailure(f"The code snapshot at {uri} is empty.")

    def _one(self, name: str, spec: Mapping[str, Any], folder: Path, say: Say, stop: threading.Event) -> str:
        if stop.is_set():
            raise Interrupted(f"stopped before input {name} was there")
        if spec["jobInputType"] == "literal":
            return str(spec["value"])
        if spec["mode"] == DIRECT:
            return self._lookup.storage_uri(spec["uri"])
        folder.mkdir()
        place = self._lookup.locate(spec["uri"])
        if isinstance(place, Remote) and place.is_folder:
            raise JobFailure(
                f"The input {name} is the folder {spec['uri']} in Azure's storage, of which a local workspace fetches "
                "single files alone. Use a path in workspaceblobstore here."
            )
        if isinstance(place, Remote):
            path = download(name, place.url, folder, stop)
        else:
            path = self._fetch(name, place, folder)
        if spec["mode"] in _WRITABLE:
            say(f"input {name}: a writable copy; what the job changes in it is not written back")
        else:
            _protect(folder)
        return str(path)

    def _fetch(self, name: str, place: Location, folder: Path) -> Path:
        """Copy a blob, or the folder of blobs, at a place into `folder`; return the path of the copy."""
        last = place.path.rpartition("/")[2]
        target = folder / last if last else folder
        if self._is_file(place):
            self._blobs.fetch_file(place.container, place.path, target)
        elif self._blobs.fetch_tree(place.container, place.path, target) == 0:
            where = f"there is no blob at '{place.path}' in container {place.container}"
            raise JobFailure(f"The input {name} is empty: {where}.")
        return target

    def _is_file(self, place: Location) -> bool:
        blob = self._blobs.get(place.container, place.path) if place.path else None
        return blob is not None and not blob.marks_folder


def _protect(folder: Path) -> None:
    """Take the right to write from a folder and all that is in it."""
    for root, _, files in os.walk(folder):
        for file in files:
            (Path(root) / file).chmod(0o444)
        Path(root).chmod(0o555)
