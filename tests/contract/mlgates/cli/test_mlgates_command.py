import subprocess
import sys
from pathlib import Path

import pytest

from mlgates.config.project import Project
from tests.contract.mlgates.git_folder import committed
from tests.unit.mlgates.cli.conftest import Command
from tests.unit.mlgates.fake_workspace import FakeWorkspace, Status


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


def test_debug_shows_where_an_error_came_from(mlgates: Command, project: Project) -> None:
    (project.root / "data" / "train.csv").unlink()
    assert "Traceback" in mlgates("train", "--debug").stderr


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, mlgates.cli; print(*sorted({'azure', 'mlflow', 'rich', 'pandas'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""
