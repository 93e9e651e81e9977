"""How a registered model becomes a folder on this machine: downloaded, and found by its `MLmodel`."""

from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.core.errors import AssetMissing
from mlgates.delivery.refusals import asking

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def download_model(client: "MLClient", name: str, version: str, into: Path) -> Path:
    """Download version `version` of model `name` under `into`; return its folder, the one with `MLmodel`.

    Raises `AssetMissing` when the workspace has no such version, or when it is no MLflow model.
    """
    with asking(f"download model {name}:{version}"):
        client.models.download(name, version, download_path=str(into))
    found = next(into.rglob("MLmodel"), None)
    if found is None:
        raise AssetMissing(f"model {name}:{version} has no file MLmodel: it was not registered as an MLflow model")
    return found.parent
