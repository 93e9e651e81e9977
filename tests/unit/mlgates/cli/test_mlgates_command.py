from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from mlgates.cli.app import app
from mlgates.config.settings import Settings
from mlgates.core.errors import WorkspaceUnavailable
from tests.unit.mlgates.cli.conftest import Command
from tests.unit.mlgates.fake_workspace import FakeJob, FakeWorkspace, Status


def test_config_shows_each_value_with_its_source(mlgates: Command) -> None:
    lines = mlgates("config").stdout.splitlines()
    assert "MODEL_NAME = classifier  (mlops/config-mlops.yml)" in lines
    assert "AML_WORKSPACE_NAME = mlw  (mlops/config-infra-local.yml)" in lines


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("--env", "local"), "local: workspace mlw, local"),
        (("--env", "dev"), "dev: workspace mlw, a local stand-in for Azure while AZURE_SUBSCRIPTION_ID is empty"),
    ],
)
def test_every_command_says_which_workspace_is_meant(mlgates: Command, words: tuple[str, ...], where: str) -> None:
    assert mlgates("show", *words).stderr.startswith(where)


def test_an_environment_with_a_subscription_is_on_azure(mlgates: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "12345678-1234-1234-1234-1234567890ab")
    assert mlgates("config", "--env", "dev").stderr == "dev: workspace mlw in resource group rg, on Azure\n"


def test_register_prints_model_and_job(mlgates: Command, workspace: FakeWorkspace) -> None:
    workspace.jobs.held = [FakeJob("job-9", Status.COMPLETED)]
    workspace.models.create_or_update(type("Model", (), {"name": "classifier", "tags": {"job": "job-9"}}))
    lines = mlgates("register").stdout.splitlines()
    assert lines == ["model  classifier:1", "job    job-9", "look   mlgates show --env local"]


def test_a_workspace_out_of_reach_is_reported(mlgates: Command) -> None:
    def out_of_reach(settings: Settings) -> FakeWorkspace:
        raise WorkspaceUnavailable("not signed in: run 'az login'")

    result = mlgates("show", connector=out_of_reach)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (3, "error: not signed in: run 'az login'")


def test_azure_can_be_required(mlgates: Command) -> None:
    assert mlgates("config", "--env", "dev", "--require-azure").exit_code == 2


def test_ctrl_c_says_that_the_job_goes_on(mlgates: Command) -> None:
    def interrupted(settings: Settings) -> FakeWorkspace:
        raise KeyboardInterrupt

    result = mlgates("train", connector=interrupted)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        130,
        "interrupted; a job that was submitted goes on (mlgates show)",
    )


def test_outside_of_a_project_the_way_out_is_reported(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["config", "--project", str(tmp_path / "nowhere")])
    assert (result.exit_code, "--project" in result.stderr) == (2, True)


@pytest.mark.parametrize("command", get_command(app).commands)  # type: ignore[attr-defined]  # a group has them
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert (result.exit_code, "--help" in result.stdout, "--debug" in result.stdout) == (0, True, True)
