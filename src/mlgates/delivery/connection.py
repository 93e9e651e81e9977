"""How an environment's name becomes a client of its workspace: the same client for amlocal and for Azure."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mlgates.config.settings import Settings, Target
from mlgates.core.errors import WorkspaceUnavailable

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
_COMMAND = (sys.executable, "-m", "amlocal")
_NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
# Azure's limits on requests count for a whole subscription; a local workspace is ours alone.


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

    from mlgates.delivery.sdk import reaching  # noqa: PLC0415

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
    """Make `environ` lead to the workspace of `settings`; for a local one `start_local` returns the variables.

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


def silence_sdk_logging() -> None:
    """Raise the log level of Azure's libraries where what they log is known already."""
    # that one of its classes is experimental, on every YAML file
    logging.getLogger("azure.ai.ml._utils._experimental").setLevel(logging.ERROR)
    # where each artifact and each model is downloaded to
    for operations in ("_job_operations", "_model_operations"):
        logging.getLogger(f"azure.ai.ml.operations.{operations}").setLevel(logging.WARNING)
    # that it looks for the endpoint before it deploys to it
    logging.getLogger("azure.ai.ml.operations._online_deployment_operations").setLevel(logging.WARNING)
    # every way of signing in that it tried: the error says so too, in one line
    logging.getLogger("azure.identity").setLevel(logging.ERROR)


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


@dataclass(frozen=True, slots=True)
class LocalWorkspace:
    """A workspace of amlocal, in its own folder under `root`."""

    root: Path
    name: str
    resource_group: str
    subscription: str
    command: Sequence[str] = _COMMAND
    timeout_s: float = 60.0

    def start(self) -> Mapping[str, str]:
        """Start it, or find it running; return the environment variables that lead azure-ai-ml to it.

        Raises `WorkspaceUnavailable` with amlocal's own words when it cannot start.
        """
        names = ("--resource-group", self.resource_group, "--subscription", self.subscription)
        self._run("up", "--detach", "--root", str(self.root), "--workspace", self.name, *names)
        answer = self._run("env", "--root", str(self.root), "--workspace", self.name, "--format", "json")
        try:
            return {str(name): str(value) for name, value in json.loads(answer).items()}
        except (ValueError, AttributeError) as error:
            raise WorkspaceUnavailable(f"'amlocal env' did not answer with variables: {answer[:200]!r}") from error

    def stop(self) -> None:
        """Stop it; its content stays on disk."""
        self._run("down", "--root", str(self.root), "--workspace", self.name)

    def _run(self, *arguments: str) -> str:
        command = [*self.command, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter
                command,
                capture_output=True,
                encoding="utf-8",
                errors="backslashreplace",
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},  # whatever this terminal's own encoding is
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise WorkspaceUnavailable(
                f"'amlocal {arguments[0]}' has not answered within {error.timeout:.0f} s: see 'amlocal logs'"
            ) from error
        if done.returncode:
            raise WorkspaceUnavailable(f"'amlocal {arguments[0]}' failed: {_last_line(done.stderr or done.stdout)}")
        return done.stdout


def local_workspace(settings: Settings, root: Path | None = None) -> LocalWorkspace:
    """Return the local workspace of `settings`, by default among the project's own under .amlocal."""
    return LocalWorkspace(
        root=root or settings.project.local_state,
        name=settings.aml_workspace_name,
        resource_group=settings.resource_group_name,
        subscription=settings.azure_subscription_id or _NO_SUBSCRIPTION,
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
