"""What a reference means: the one place where an id, a label or a URI becomes something that exists.

Azure's own environments, which are called curated, may be named and got too; their images are not here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amlocal.assets.store import AssetContainer, AssetStore
from amlocal.core.context import Identity
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest, NotFound
from amlocal.core.paging import InMemoryList, PagedList
from amlocal.core.uris import (
    azure_storage_url,
    datastore_reference,
    job_output_reference,
    own_reference,
    version_reference,
)
from amlocal.datastores.store import Datastores, Location

PREFIX = "azureml-"
# The families that Azure has published environments of under this prefix (azureml-assets, azureml-examples and the
# page "Azure Machine Learning curated environments"). Which releases of a family there are changes every month.
_FAMILIES = (
    "acpt", "ai-ml", "ai-studio", "automl", "chainer", "dask", "designer", "deepspeed", "huggingface", "hyperdrive",
    "inference", "lightgbm", "minimal", "mlflow", "model-evaluation", "model-management", "onnxruntime", "pyspark",
    "python-sdk", "pytorch", "responsibleai", "scikit-learn", "sidecar", "sklearn", "tensorflow", "train-finetune",
    "tritonserver", "triton", "tutorial", "vowpalwabbit", "xgboost",
)  # fmt: skip
_NAME = re.compile(rf"{PREFIX}(?:{'|'.join(_FAMILIES)})(?:[-_.0-9][A-Za-z0-9._-]*)?", re.IGNORECASE)
_LATEST = "1"
# Azure shows when it published a version. Nothing here depends on it.
_PUBLISHED = "2024-01-01T00:00:00+00:00"
_REGISTRY = "azureml://registries/"


def is_curated(name: str) -> bool:
    """Return whether Azure has an environment of that family of names."""
    return _NAME.fullmatch(name) is not None


class EnvironmentStore(AssetStore):
    """The environments of a workspace, and Azure's own beside them: got, used, not listed and not written."""

    def get(self, name: str, version: str) -> Document:
        """Return a version. Raises `NotFound`."""
        if is_curated(name) and version.isdecimal():
            return _document(name, version)
        return super().get(name, version)

    def get_container(self, name: str) -> Document:
        """Return the container of a name. Raises `NotFound`."""
        if not is_curated(name):
            return super().get_container(name)
        facts: dict[str, Any] = {"isArchived": False, "description": None, "tags": {}, "properties": {}}
        return Document("", name, body=facts | {"created": _PUBLISHED, "modified": _PUBLISHED})

    def latest(self, name: str) -> Document:
        """Return the newest version that is not archived. Raises `NotFound`."""
        return _document(name, _LATEST) if is_curated(name) else super().latest(name)

    def versions(self, name: str, view: str = "All", query: Mapping[str, str] | None = None) -> PagedList[Document]:
        """Return the list of the versions of a name; of a curated one the latest alone is known here."""
        if not is_curated(name):
            return super().versions(name, view, query)
        return InMemoryList([] if view == "ArchivedOnly" else [_document(name, _LATEST)])

    def summed_up(self, containers: Sequence[Document]) -> list[AssetContainer]:
        """Return containers with what their versions say of them; a curated one comes alone, it is in no list."""
        if any(is_curated(document.name) for document in containers):
            return [AssetContainer(document, _document(document.name, _LATEST), "") for document in containers]
        return super().summed_up(containers)

    def put(self, name: str, version: str, properties: Mapping[str, Any]) -> tuple[Document, bool]:
        """Create or update a version. Raises `BadRequest` for a name of Azure's own, else as every store."""
        return super().put(_own(name), version, properties)

    def put_container(self, name: str, properties: Mapping[str, Any]) -> Document:
        """Create or update a container. Raises `BadRequest` for a name of Azure's own."""
        return super().put_container(_own(name), properties)


def _own(name: str) -> str:
    if name.lower().startswith(PREFIX):
        raise BadRequest(f"The environment name {name!r} is not valid: the prefix 'AzureML' is Azure's own.")
    return name


def _document(name: str, version: str) -> Document:
    properties = {
        "description": "A curated environment of Azure. Its image is not on this machine.",
        "tags": {},
        "properties": {},
        "isArchived": False,
        "isAnonymous": False,
        "environmentType": "Curated",
        "condaFile": "",
        "osType": "Linux",
        "image": f"mcr.microsoft.com/azureml/curated/{name[len(PREFIX) :].lower()}:{version}",
    }
    return Document("", name, version, {"properties": properties, "created": _PUBLISHED, "modified": _PUBLISHED})


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
