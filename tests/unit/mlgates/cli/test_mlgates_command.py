import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from mlgates.cli.app import app
from mlgates.config.project import Project
from mlgates.config.settings import Settings
from mlgates.core.errors import WorkspaceUnavailable
from tests.unit.mlgates.fake_workspace import FakeJob, FakeWorkspace, Status
from tests.unit.mlgates.git_folder import committed

Command = Callable[..., Result]


@pytest.fixture
def mlgates(project: Project, workspace: FakeWorkspace) -> Command:
    """The command line, in the test's project, led to the workspace in memory."""

    def run(*words: str, connector: Callable[[Settings], Any] = lambda settings: workspace) -> Result:
        return CliRunner().invoke(app, [*words, "--project", str(project.root)], obj=connector)

    return run


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


def test_train_prints_the_job_and_what_to_do_next(mlgates: Command) -> None:
    result = mlgates("train")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["job    job-1", "look   https://studio/run", "next   mlgates register --env local --job job-1"],
    )


def test_train_reports_its_progress_on_standard_error(mlgates: Command) -> None:
    assert "data: patients:1 registered" in mlgates("train").stderr


def test_train_hands_its_options_to_the_job(mlgates: Command, workspace: FakeWorkspace) -> None:
    mlgates("train", "--estimator", "random-forest", "--seed", "3")
    inputs = workspace.jobs.submitted[0]._to_dict()["inputs"]
    assert (inputs["estimator"], inputs["seed"]) == ("random-forest", 3)


@pytest.fixture
def build(mlgates: Command, project: Project, tmp_path: Path) -> Path:
    """An archive of the project, which is a git checkout now."""
    (project.root / "src" / "train.py").write_text("")
    committed(project.root)
    mlgates("build", "--output", str(tmp_path / "dist"))
    return next((tmp_path / "dist").glob("build-*.zip"))


def test_a_job_that_is_trained_from_a_build_is_tagged_with_it(
    mlgates: Command, workspace: FakeWorkspace, build: Path
) -> None:
    assert mlgates("train", "--build", str(build)).exit_code == 0
    tag = workspace.jobs.submitted[0].tags["build_sha256"]
    assert build.with_name(f"{build.name}.sha256").read_text().startswith(tag)


def test_what_is_trained_from_a_build_is_what_it_holds(
    mlgates: Command, workspace: FakeWorkspace, project: Project, build: Path
) -> None:
    (project.training / "pipeline.yml").write_text("no pipeline any more")
    (project.root / "data" / "train.csv").write_text("a,b\n9,9\n")
    assert mlgates("train", "--build", str(build)).exit_code == 0
    assert Path(workspace.data.saved[0].path) == project.root / "data" / "train.csv"  # new data, same code


def test_a_changed_build_is_refused_before_anything_is_asked(
    mlgates: Command, workspace: FakeWorkspace, build: Path
) -> None:
    build.write_bytes(build.read_bytes().replace(b"a,b\n1,2\n3,4", b"a,b\n1,2\n3,7"))
    result = mlgates("train", "--build", str(build))
    assert (result.exit_code, workspace.jobs.submitted) == (11, [])
    assert "data/" in result.stderr


def test_train_takes_another_file(mlgates: Command, workspace: FakeWorkspace, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a\n1\n")
    mlgates("train", "--data", str(tmp_path / "mine.csv"))
    assert str(workspace.data.saved[0].path) == str(tmp_path / "mine.csv")


def test_register_prints_model_and_job(mlgates: Command, workspace: FakeWorkspace) -> None:
    workspace.jobs.held = [FakeJob("job-9", Status.COMPLETED)]
    workspace.models.create_or_update(type("Model", (), {"name": "classifier", "tags": {"job": "job-9"}}))
    lines = mlgates("register").stdout.splitlines()
    assert lines == ["model  classifier:1", "job    job-9", "look   mlgates show --env local"]


def test_show_lists_what_is_there(mlgates: Command, workspace: FakeWorkspace) -> None:
    mlgates("train")
    assert "patients:1" in mlgates("show").stdout


def test_an_error_is_one_line_and_an_exit_code_of_its_kind(mlgates: Command, project: Project) -> None:
    (project.root / "data" / "train.csv").unlink()
    result = mlgates("train")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        4,
        "error: data/train.csv, which is to be the training data, is not there: ask Ann",
    )


def test_a_failed_job_is_a_failed_command(mlgates: Command, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.FAILED]
    assert mlgates("train").exit_code == 6


def test_a_workspace_out_of_reach_is_reported(mlgates: Command) -> None:
    def out_of_reach(settings: Settings) -> FakeWorkspace:
        raise WorkspaceUnavailable("not signed in: run 'az login'")

    result = mlgates("show", connector=out_of_reach)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (3, "error: not signed in: run 'az login'")


def test_debug_shows_where_an_error_came_from(mlgates: Command, project: Project) -> None:
    (project.root / "data" / "train.csv").unlink()
    assert "Traceback" in mlgates("train", "--debug").stderr


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
    assert (result.exit_code, "--env" in result.stdout, "--debug" in result.stdout) == (0, True, True)


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, mlgates.cli; print(*sorted({'azure', 'mlflow', 'rich', 'pandas'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""
