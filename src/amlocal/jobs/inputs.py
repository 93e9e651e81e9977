"""What a job or a deployment works with, brought to this machine: code, inputs, environment."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx

from amlocal.assets.lookup import AssetLookup, RemoteLocation, curated_name
from amlocal.blobs import BlobStore
from amlocal.core.documents import Document
from amlocal.datastores.store import Location
from amlocal.jobs.folder import WriteLog
from amlocal.jobs.outputs import DIRECT
from amlocal.jobs.status import Interrupted, JobFailure
from amlocal.runtimes import BuildContext, EnvironmentSpec, Runtime, create_layer, parse_conda, resolve

_WRITABLE = ("ReadWriteMount",)
_TIMEOUT_S = 60.0  # without a byte


class JobInputs:
    """Brings inputs into a job's folder."""

    def __init__(self, lookup: AssetLookup, blobs: BlobStore) -> None:
        self._lookup = lookup
        self._blobs = blobs

    def materialise(
        self, specs: Mapping[str, Mapping[str, Any]], folder: Path, write_log: WriteLog, stop: threading.Event
    ) -> dict[str, str]:
        """Return the value of each input's placeholder. Blocks; `stop` ends it between two pieces.

        As on Azure, an input's folder is called `INPUT_` and its name.

        Raises `JobFailure` for content that is not there, `Interrupted`.
        """
        return {
            name: self._fetch_input(name, spec, folder / f"INPUT_{name}", write_log, stop)
            for name, spec in specs.items()
        }

    def fetch_code(self, reference: str, folder: Path) -> None:
        """Copy a code snapshot into `folder`. Raises `JobFailure` when it is not in this workspace's storage."""
        uri = self._lookup.code(reference).body["properties"]["codeUri"]
        place = self._lookup.locate(uri)
        if isinstance(place, RemoteLocation):
            raise JobFailure(f"The code at {uri} is not in this workspace's storage.")
        if self._is_file(place):
            self._blobs.fetch_file(place.container, place.path, folder / place.path.rpartition("/")[2])
        elif self._blobs.fetch_tree(place.container, place.path, folder) == 0:
            raise JobFailure(f"The code snapshot at {uri} is empty.")

    def _fetch_input(
        self, name: str, spec: Mapping[str, Any], folder: Path, write_log: WriteLog, stop: threading.Event
    ) -> str:
        if stop.is_set():
            raise Interrupted(f"stopped before input {name} was there")
        if spec["jobInputType"] == "literal":
            return str(spec["value"])
        if spec["mode"] == DIRECT:
            return self._lookup.storage_uri(spec["uri"])
        folder.mkdir()
        place = self._lookup.locate(spec["uri"])
        if isinstance(place, RemoteLocation) and place.is_folder:
            raise JobFailure(
                f"The input {name} is the folder {spec['uri']} in Azure's storage, of which a local workspace fetches "
                "single files alone. Use a path in workspaceblobstore here."
            )
        if isinstance(place, RemoteLocation):
            path = download(name, place.url, folder, stop)
        else:
            path = self._copy_blobs(name, place, folder)
        if spec["mode"] in _WRITABLE:
            write_log(f"input {name}: a writable copy; what the job changes in it is not written back")
        else:
            _protect(folder)
        return str(path)

    def _copy_blobs(self, name: str, place: Location, folder: Path) -> Path:
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


def download(name: str, url: str, folder: Path, stop: threading.Event) -> Path:
    """Fetch the file at `url` into `folder` for the input `name`; return its path. `stop` ends it between two pieces.

    Raises `JobFailure` with the reason when it cannot be fetched, `Interrupted`.
    """
    try:
        target = folder / file_name(url)
        with httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT_S) as answer, target.open("wb") as file:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                if stop.is_set():
                    raise Interrupted(f"stopped while input {name} was fetched")
                file.write(piece)
    # The latter two are what httpx makes of a proxy in the environment that it cannot use.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
        raise JobFailure(f"The input {name} cannot be fetched from {url}: {error}.") from error
    return target


def file_name(url: str) -> str:
    """Return the last part of a URL's path as the name of a file, `content` where it cannot be one.

    Raises `httpx.InvalidURL`.
    """
    last = httpx.URL(url).raw_path.partition(b"?")[0].rstrip(b"/").rpartition(b"/")[2]
    name = unquote_to_bytes(last).decode(errors="replace")
    return "content" if name in ("", ".", "..") or {"/", "\0"}.intersection(name) else name


class JobEnvironments:
    """Prepares environments. `strict` refuses a Python version that is not installed; `cache` keeps what was built."""

    def __init__(self, lookup: AssetLookup, blobs: BlobStore, *, cache: Path, strict: bool) -> None:
        self._lookup = lookup
        self._blobs = blobs
        self._cache = cache
        self._strict = strict

    def prepare(self, reference: str, folder: Path, write_log: WriteLog, stop: threading.Event) -> Runtime:
        """Return the job's own environment, layered in `folder`. Blocks while one is built; `stop` ends that early.

        Raises `AmlocalError` with the reason when the environment cannot be had.
        """
        spec = self._spec(reference, folder.with_name("context"))
        runtime = resolve(spec, cache=self._cache, strict=self._strict, log=write_log, cancelled=stop)
        return create_layer(runtime, folder, self._cache, log=write_log)

    def _spec(self, reference: str, context: Path) -> EnvironmentSpec:
        document = self._lookup.environment(reference)
        if document is None:
            return EnvironmentSpec(name=curated_name(reference) or reference)
        properties = document.body["properties"]
        conda = properties.get("condaFile")
        return EnvironmentSpec(
            name=document.name,
            version=document.version,
            image=properties.get("image"),
            conda_file=parse_conda(conda) if conda else None,
            build=self._context(document, properties["build"], context) if properties.get("build") else None,
        )

    def _context(self, document: Document, build: Mapping[str, str], folder: Path) -> BuildContext:
        place = self._lookup.locate(build["contextUri"])
        if not isinstance(place, Location) or self._blobs.fetch_tree(place.container, place.path, folder) == 0:
            raise JobFailure(f"The build context of environment {document.name}:{document.version} is not there.")
        return BuildContext(folder, build["dockerfilePath"])
