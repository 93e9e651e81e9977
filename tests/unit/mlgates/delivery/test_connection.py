"""A client reaches the workspace that is meant, and a local one is started by amlocal's own command."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlgates.config.project import Project
from mlgates.config.settings import Settings, load_settings
from mlgates.core.errors import WorkspaceUnavailable
from mlgates.delivery.connection import beside_import, local_workspace, prepare

METADATA = "ARM_CLOUD_METADATA_URL"
LOCAL = {METADATA: "https://127.0.0.1:4711/metadata", "AZUREML_RUN_POLLING_INTERVAL_MAX": "2"}


@pytest.fixture
def on_azure(project: Project) -> Settings:
    subscription = {"AZURE_SUBSCRIPTION_ID": "12345678-1234-1234-1234-1234567890ab"}
    return load_settings(project, "dev", environ=subscription)


def start_local() -> Mapping[str, str]:
    return LOCAL


def test_the_sdk_is_imported_while_the_workspace_starts() -> None:
    imported: list[str] = []
    assert beside_import(start_local, {}, imported.append) == LOCAL
    assert imported == ["azure.ai.ml"]


def test_a_cloud_that_is_set_already_is_not_asked() -> None:
    imported: list[str] = []
    beside_import(start_local, {"AZUREML_CURRENT_CLOUD": "amlocal"}, imported.append)
    assert imported == []


def start_nothing() -> Mapping[str, str]:
    raise AssertionError("Azure is never started from here")


@pytest.mark.parametrize("environment", ["local", "dev"])
def test_local_and_its_stand_ins_are_started_and_led_to(project: Project, environment: str) -> None:
    environ: dict[str, str] = {}
    prepare(load_settings(project, environment, environ={}), environ, start_local)
    assert environ[METADATA] == LOCAL[METADATA]


def test_azure_needs_no_variables(on_azure: Settings) -> None:
    environ: dict[str, str] = {}
    prepare(on_azure, environ, start_nothing)
    assert METADATA not in environ


def test_variables_of_a_local_workspace_never_stand_in_for_azure(on_azure: Settings) -> None:
    with pytest.raises(WorkspaceUnavailable, match="points to a local workspace"):
        prepare(on_azure, dict(LOCAL), start_nothing)


def test_the_log_is_followed_at_a_persons_pace(on_azure: Settings) -> None:
    environ = {"AZUREML_RUN_POLLING_INTERVAL_MIN": "3"}
    prepare(on_azure, environ, start_nothing)
    pace = {name: text for name, text in environ.items() if "POLLING" in name}
    assert pace == {"AZUREML_RUN_POLLING_INTERVAL_MIN": "3", "AZUREML_RUN_POLLING_INTERVAL_MAX": "5"}


def test_downloads_draw_no_bars(on_azure: Settings) -> None:
    environ: dict[str, str] = {}
    prepare(on_azure, environ, start_nothing)
    assert environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] == "false"


def test_the_workspace_of_an_environment_lives_in_its_project(settings: Settings) -> None:
    workspace = local_workspace(settings)
    assert (workspace.root, workspace.name) == (settings.project.root / ".amlocal", "mlw")


def test_an_environment_without_a_subscription_gets_zeros(settings: Settings) -> None:
    assert local_workspace(settings).subscription == "00000000-0000-0000-0000-000000000000"


def test_a_workspace_can_live_elsewhere(settings: Settings, tmp_path: Path) -> None:
    assert local_workspace(settings, tmp_path / "other").root == tmp_path / "other"
