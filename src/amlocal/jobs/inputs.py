"""A job's inputs on this machine: copies that the job may read, and cannot spoil for others."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from amlocal.assets.lookup import AssetLookup, Remote
from amlocal.blobs import BlobStore
from amlocal.datastores.store import Location
from amlocal.jobs.failure import JobFailure

_PASSED_ON = ("Direct",)  # the command gets the URI itself
_WRITABLE = ("ReadWriteMount",)
_FETCH_TIMEOUT_S = 60.0

Say = Callable[[str], None]


class Inputs:
    """Brings inputs into a job's folder."""

    def __init__(self, lookup: AssetLookup, blobs: BlobStore) -> None:
        self._lookup = lookup
        self._blobs = blobs

    def materialise(self, specs: Mapping[str, Mapping[str, Any]], folder: Path, say: Say) -> dict[str, str]:
        """Return what each input's placeholder stands for. Raises `JobFailure` for content that is not there."""
        return {name: self._one(name, spec, folder / name, say) for name, spec in specs.items()}

    def _one(self, name: str, spec: Mapping[str, Any], folder: Path, say: Say) -> str:
        if spec["jobInputType"] == "literal":
            return str(spec["value"])
        if spec["mode"] in _PASSED_ON:
            return str(spec["uri"])
        folder.mkdir()
        place = self._lookup.locate(spec["uri"])
        if isinstance(place, Remote):
            path = _download(name, place.url, folder)
        else:
            path = self.fetch(place, folder, f"input {name}")
        if spec["mode"] in _WRITABLE:
            say(f"input {name}: a writable copy; what the job changes in it is not written back")
        else:
            _protect(folder)
        return str(path)

    def fetch_code(self, reference: str, folder: Path) -> None:
        """Copy a code snapshot into `folder`. Raises `JobFailure` when it is not in this workspace's storage."""
        uri = self._lookup.code(reference).body["properties"]["codeUri"]
        place = self._lookup.locate(uri)
        if isinstance(place, Remote):
            raise JobFailure(f"The code at {uri} is not in this workspace's storage.")
        if self._blobs.get(place.container, place.path):
            self._blobs.fetch_file(place.container, place.path, folder / place.path.rpartition("/")[2])
        elif self._blobs.fetch_tree(place.container, place.path, folder) == 0:
            raise JobFailure(f"The code snapshot at {uri} is empty.")

    def fetch(self, place: Location, folder: Path, what: str) -> Path:
        """Copy a blob, or the folder of blobs, at a place into `folder`; return the path of the copy.

        Raises `JobFailure` when nothing is there.
        """
        name = place.path.rpartition("/")[2]
        if name and self._blobs.get(place.container, place.path):
            self._blobs.fetch_file(place.container, place.path, folder / name)
            return folder / name
        target = folder / name if name else folder
        if self._blobs.fetch_tree(place.container, place.path, target) == 0:
            raise JobFailure(f"The {what} is empty: there is no blob at '{place.path}' in container {place.container}.")
        return target


def _download(name: str, url: str, folder: Path) -> Path:
    target = folder / (unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2] or "content")
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=_FETCH_TIMEOUT_S) as answer:
            answer.raise_for_status()
            with target.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
    except httpx.HTTPError as error:
        raise JobFailure(f"The input {name} cannot be fetched from {url}: {error}.") from error
    return target


def _protect(folder: Path) -> None:
    """Take the right to write from a folder and all that is in it."""
    for root, _, files in os.walk(folder):
        for file in files:
            (Path(root) / file).chmod(0o444)
        Path(root).chmod(0o555)
