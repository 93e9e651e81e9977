"""What a job may do in the workspace's storage: read its code and inputs, write its artifacts and outputs."""

from collections.abc import Iterator

from amlocal.assets.lookup import AssetLookup
from amlocal.core.context import Identity
from amlocal.core.documents import Document
from amlocal.core.errors import ApiError
from amlocal.datastores.store import ARTIFACT_CONTAINER, Datastores, Location
from amlocal.jobs.outputs import artifact_path, planned_location
from amlocal.jobs.store import JobStore

_READ = frozenset("rl")
_WRITE = frozenset("racwdl")
NOTHING: frozenset[str] = frozenset()


class JobGrants:
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
            return NOTHING
        if any(_holds(place, container, path) for place in self._outputs(document)):
            return _WRITE
        if any(_holds(place, container, path) for place in self._inputs(document)):
            return _READ
        return NOTHING

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
