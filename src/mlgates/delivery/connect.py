"""How an environment's name becomes a client of its workspace: the same client for amlocal and for Azure."""

import os
from collections.abc import Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mlgates.config.settings import Settings, Target
from mlgates.core.errors import WorkspaceUnavailable
from mlgates.delivery.local import local_workspace
from mlgates.delivery.quiet import silence_sdk_logging

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

Start: TypeAlias = Callable[[], Mapping[str, str]]
"""Starts a local workspace, or finds it running; returns the environment variables that lead there."""

_SDK = "azure.ai.ml"
_CLOUD, _METADATA = "AZUREML_CURRENT_CLOUD", "ARM_CLOUD_METADATA_URL"
# MLflow draws a bar for each file that it downloads.
_NO_BARS = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
# Pace of `jobs.stream` in whole seconds, read when azure-ai-ml is imported. Its own default goes up to a minute.
_PACE = {"AZUREML_RUN_POLLING_INTERVAL_MIN": "1", "AZUREML_RUN_POLLING_INTERVAL_MAX": "5"}


def connect(settings: Settings, *, local_root: Path | None = None) -> "MLClient":
    """Return a client of the workspace that `settings` names, once that workspace has answered.

    A local workspace is started when it does not run yet, under `local_root` or the project's `.amlocal`; the
    variables that lead azure-ai-ml to it are set in this process. Raises `WorkspaceUnavailable` when there is no
    workspace to talk to, or no way in.
    """
    local = local_workspace(settings, local_root)
    prepare(settings, os.environ, lambda: beside_import(local.start, os.environ))
    # Imported here: azure-ai-ml takes seconds to import, and reads the environment while it does.
    from azure.ai.ml import MLClient  # noqa: PLC0415
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    from mlgates.delivery.refusals import reaching  # noqa: PLC0415

    silence_sdk_logging()
    with reaching(settings):
        client = MLClient(
            DefaultAzureCredential(),
            local.subscription,
            settings.resource_group_name,
            settings.aml_workspace_name,
            show_progress=False,
            enable_telemetry=False,
        )
        # Any answer will do, and this one is quick: `workspaces.get` makes the SDK import MLflow.
        client.datastores.get_default()
    return client


def prepare(settings: Settings, environ: MutableMapping[str, str], start_local: Start) -> None:
    """Make `environ` lead to the workspace of `settings`; for a local one `start_local` tells how.

    Raises `WorkspaceUnavailable` when it leads to a local workspace although Azure is meant.
    """
    for name, value in (_PACE | _NO_BARS).items():
        environ.setdefault(name, value)
    if settings.target is not Target.AZURE:
        environ.update(start_local())
    elif "://127.0.0.1" in environ.get(_METADATA, ""):
        raise WorkspaceUnavailable(
            f"'{settings.environment}' is on Azure, but {_METADATA} points to a local workspace: "
            "run this in a shell without the variables of 'amlocal env'"
        )


def beside_import(
    start: Start, environ: Mapping[str, str], importing: Callable[[str], object] = import_module
) -> Mapping[str, str]:
    """Return what `start` returns, having imported azure-ai-ml meanwhile: both take seconds, and neither a whole core.

    Not when `environ` names a cloud already: the import would ask that cloud for its addresses, and it may be gone.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        started = pool.submit(start)
        if _CLOUD not in environ:
            importing(_SDK)
        return started.result()
