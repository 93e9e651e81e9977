"""Which version of the model is meant to serve."""

from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.values import AssetVersion
from mlgates.delivery.candidates import find_model
from mlgates.delivery.content import find_version
from mlgates.delivery.refusals import translate_sdk_errors

RELEASED_TAG = "released"
"""On a model version: `true` while it is the released one; then what became of it (`superseded`, `rolled back`).

Who released it, and on what evidence, is in the ledger."""


def released_version(client: MLClient, settings: Settings) -> AssetVersion:
    """Return the newest version that is tagged as released; the newest of all while none is.

    Raises `AssetMissing` when the workspace holds no version.
    """
    name = settings.model_name
    with translate_sdk_errors(f"look up the released version of model {name}"):
        released = find_version(lambda: client.models.list(name=name), RELEASED_TAG, "true")
    return released or find_model(client, settings, None)
