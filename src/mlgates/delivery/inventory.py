"""What a workspace holds of a project: the newest of its assets, jobs and models."""

from collections.abc import Callable, Iterable
from itertools import islice

from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.values import AssetVersion, Inventory
from mlgates.delivery.content import SdkAsset, list_versions
from mlgates.delivery.job import jobs_of
from mlgates.delivery.refusals import translate_sdk_errors


def take_inventory(client: MLClient, settings: Settings, *, newest: int) -> Inventory:
    """Return at most `newest` of each kind."""

    def versions(list_them: Callable[[], Iterable[SdkAsset]]) -> tuple[AssetVersion, ...]:
        return tuple(islice(list_versions(list_them), newest))

    with translate_sdk_errors(f"list what workspace {settings.aml_workspace_name} holds"):
        return Inventory(
            environments=versions(lambda: client.environments.list(name=settings.training_environment_name)),
            data=versions(lambda: client.data.list(name=settings.training_dataset_name)),
            jobs=tuple(islice(jobs_of(client, settings.training_experiment_name), newest)),
            models=versions(lambda: client.models.list(name=settings.model_name)),
        )


def model_versions(client: MLClient, settings: Settings, *, newest: int) -> tuple[AssetVersion, ...]:
    """Return at most `newest` versions of the project's model, newest first."""
    with translate_sdk_errors(f"list the versions of model {settings.model_name}"):
        return tuple(islice(list_versions(lambda: client.models.list(name=settings.model_name)), newest))
