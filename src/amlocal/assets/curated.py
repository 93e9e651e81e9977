"""Curated environments: Azure's own, which a job may name and `environments.get` finds; their images are not here."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from amlocal.assets.store import AssetContainer, AssetStore
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.paging import InMemoryList, PagedList

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
