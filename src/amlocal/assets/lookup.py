"""What a reference means: the one place where an id, a label or a URI becomes something that exists."""

from collections.abc import Callable
from dataclasses import dataclass

from amlocal.assets.curated import PREFIX, is_curated
from amlocal.assets.store import AssetStore
from amlocal.core.context import Identity
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest, NotFound
from amlocal.core.uris import (
    azure_storage_url,
    datastore_reference,
    job_output_reference,
    own_reference,
    version_reference,
)
from amlocal.datastores.store import Datastores, Location

_REGISTRY = "azureml://registries/"


@dataclass(frozen=True, slots=True)
class RemoteLocation:
    """A URL outside this workspace, fetched when a job needs it; a folder in Azure's storage is no URL of one file."""

    url: str
    is_folder: bool = False


def curated_name(reference: str) -> str | None:
    """Return the name of a curated or registry environment, or None for one of this workspace."""
    if reference.lower().startswith(_REGISTRY):
        return reference
    name = reference.removeprefix("azureml:").rpartition("/environments/")[2]
    return name if name.lower().startswith(PREFIX) else None


class AssetLookup:
    """Finds assets by every kind of reference that a job or model may hold."""

    def __init__(
        self,
        here: Identity,
        *,
        environments: AssetStore,
        data: AssetStore,
        models: AssetStore,
        codes: AssetStore,
        datastores: Datastores,
        resolve_output: Callable[[str, str, str], tuple[str, str]],
    ) -> None:
        self._here = here
        self._environments = environments
        self._data = data
        self._models = models
        self._codes = codes
        self._datastores = datastores
        self._resolve_output = resolve_output

    def environment(self, reference: str) -> Document | None:
        """Return an environment's version, None for a curated one, whose image is not here.

        Raises `NotFound`, `ForeignReference`.
        """
        if curated := curated_name(reference):
            if not reference.lower().startswith(_REGISTRY):
                own_reference(self._here, reference)
                name, _, version = curated.replace("/versions/", ":").replace("@", ":").partition(":")
                if not is_curated(name):
                    raise self._environments.kind.missing_version(name, version)
            return None
        return self._version(self._environments, reference, "environments")

    def code(self, reference: str) -> Document:
        """Return a code snapshot. Raises `NotFound`."""
        return self._version(self._codes, reference, "codes")

    def model(self, reference: str) -> Document:
        """Return a model's version. Raises `NotFound`, `BadRequest` for what is no id of a model."""
        if version_reference(self._here, reference, "models") is None:
            raise BadRequest(f"{reference!r} is not the id of a model in this workspace.")
        return self._version(self._models, reference, "models")

    def check_input(self, uri: str) -> None:
        """Raise `NotFound` when `uri` names a version or datastore that does not exist.

        What a URI points to is not looked at: Azure ML accepts the job, and it fails later.
        """
        if job_output_reference(self._here, uri) is None:
            self.locate(uri)

    def locate(self, uri: str) -> Location | RemoteLocation:
        """Return where the content of an asset id or URI is. Raises `NotFound`, `BadRequest` for an unknown form."""
        if content := self._content_of(uri):
            return self.locate(content)
        if output := job_output_reference(self._here, uri):
            datastore, path = self._resolve_output(*output)
            return Location(self._datastores.container_of(datastore), path)
        if found := self._datastores.locate(uri):
            return found
        if uri.lower().startswith(("https://", "http://")):
            return RemoteLocation(uri)
        if url := azure_storage_url(uri):
            return RemoteLocation(url, is_folder=url.endswith("/"))
        if version_reference(self._here, uri, "data"):
            return self.locate(self._version(self._data, uri, "data").body["properties"]["dataUri"])
        raise BadRequest(
            f"The URI {uri!r} cannot be read here; known are asset ids, azureml://datastores/…, azureml://jobs/…, "
            "https, wasbs, abfss and adl."
        )

    def storage_uri(self, uri: str) -> str:
        """Return the URI of the storage that an asset id or URI leads to, which needs no workspace to be looked up.

        A datastore's place in the long form, a URL as it is. Raises what `locate` raises.
        """
        if content := self._content_of(uri):
            return self.storage_uri(content)
        if output := job_output_reference(self._here, uri):
            return self._here.datastore_uri(*self._resolve_output(*output))
        if place := datastore_reference(self._here, uri):
            self._datastores.get(place[0])
            return self._here.datastore_uri(*place)
        if version_reference(self._here, uri, "data"):
            return self.storage_uri(self._version(self._data, uri, "data").body["properties"]["dataUri"])
        self.locate(uri)
        return uri

    def _content_of(self, reference: str) -> str | None:
        """Return the URI that a version of data or a model holds, None for what is not the id of one in full."""
        for store, kind, key in ((self._data, "data", "dataUri"), (self._models, "models", "modelUri")):
            if f"/{kind}/" in reference.lower() and version_reference(self._here, reference, kind):
                return str(self._version(store, reference, kind).body["properties"][key])
        return None

    def _version(self, store: AssetStore, reference: str, kind: str) -> Document:
        found = version_reference(self._here, reference, kind)
        if found is None:
            raise NotFound(f"{reference!r} is not the id of anything in {kind}.")
        name, version = found
        return store.latest(name) if version.startswith("@") else store.get(name, version)
