"""The environment of a job: the asset that it names, resolved, with a layer of the job's own on top."""

import threading
from collections.abc import Mapping
from pathlib import Path

from amlocal.assets.lookup import AssetLookup, curated_name
from amlocal.blobs import BlobStore
from amlocal.core.documents import Document
from amlocal.datastores.store import Location
from amlocal.jobs.failure import JobFailure
from amlocal.jobs.folder import Say
from amlocal.runtimes import BuildContext, EnvironmentSpec, Runtime, create_layer, parse_conda, resolve


class JobEnvironments:
    """Prepares environments. `strict` refuses a Python version that is not installed; `cache` keeps what was built."""

    def __init__(self, lookup: AssetLookup, blobs: BlobStore, *, cache: Path, strict: bool) -> None:
        self._lookup = lookup
        self._blobs = blobs
        self._cache = cache
        self._strict = strict

    def prepare(self, reference: str, folder: Path, say: Say, stop: threading.Event) -> Runtime:
        """Return the job's own environment, layered in `folder`. Blocks while one is built; `stop` ends that early.

        Raises `AmlocalError` with the reason when the environment cannot be had.
        """
        spec = self._spec(reference, folder.with_name("context"))
        runtime = resolve(spec, cache=self._cache, strict=self._strict, log=say, cancelled=stop)
        return create_layer(runtime, folder, self._cache, log=say)

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
