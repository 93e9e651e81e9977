"""How an environment's name becomes a client of its workspace: the same client for amlocal and for Azure."""

import os
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings, Target
from mlgates.core.errors import WorkspaceUnavailable
from mlgates.delivery.local import local_workspace
from mlgates.delivery.quiet import hush

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

_METADATA = "ARM_CLOUD_METADATA_URL"
# Pace of `jobs.stream` in whole seconds, read when azure-ai-ml is imported. Its own default goes up to a minute.
_PACE = {"AZUREML_RUN_POLLING_INTERVAL_MIN": "1", "AZUREML_RUN_POLLING_INTERVAL_MAX": "5"}


def connect(settings: Settings, *, local_root: Path | None = None) -> "MLClient":
    """Return a client of the workspace that `settings` names, once that workspace has answered.

    A local workspace is started when it does not run yet, under `local_root` or the project's `.amlocal`; the
    variables that lead azure-ai-ml to it are set in this process. Raises `WorkspaceUnavailable` when there is no
    workspace to talk to, or no way in.
    """
    local = local_workspace(settings, local_root)
    prepare(settings, os.environ, local.start)
    # Imported here: azure-ai-ml takes seconds to import, and reads the environment while it does.
    from azure.ai.ml import MLClient  # noqa: PLC0415
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    from mlgates.delivery.refusals import reaching  # noqa: PLC0415

    hush()
    with reaching(settings):
        client = MLClient(
            DefaultAzureCredential(),
            local.subscription,
            settings.resource_group_name,
            settings.aml_workspace_name,
            show_progress=False,
            enable_telemetry=False,
        )
        client.workspaces.get(settings.aml_workspace_name)
    return client


def prepare(
    settings: Settings, environ: MutableMapping[str, str], start_local: Callable[[], Mapping[str, str]]
) -> None:
    """Make `environ` lead to the workspace of `settings`; for a local one `start_local` tells how.

    Raises `WorkspaceUnavailable` when it leads to a local workspace although Azure is meant.
    """
    if settings.target is not Target.AZURE:
        environ.update(start_local())
    elif "://127.0.0.1" in environ.get(_METADATA, ""):
        raise WorkspaceUnavailable(
            f"'{settings.environment}' is on Azure, but {_METADATA} points to a local workspace: "
            "run this in a shell without the variables of 'amlocal env'"
        )
    for name, seconds in _PACE.items():
        environ.setdefault(name, seconds)
