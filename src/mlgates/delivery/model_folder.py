"""How a registered model becomes a folder on this machine: downloaded, and found by its `MLmodel`."""

from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.core.values import AssetVersion
from mlgates.delivery.content import held
from mlgates.delivery.refusals import asking

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def newest_model(client: "MLClient", settings: Settings) -> AssetVersion:
    """Return the newest version of the environment's model. Raises `AssetMissing` when there is none."""
    with asking(f"list versions of model {settings.model_name}"):
        newest = next(held(lambda: client.models.list(name=settings.model_name)), None)
    if newest is None:
        environment = settings.environment
        raise AssetMissing(
            f"{environment} holds no version of {settings.model_name}: "
            f"register one with 'mlgates train --register --env {environment}'"
        )
    return newest


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
