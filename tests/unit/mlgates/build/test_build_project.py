import subprocess
from pathlib import Path

import pytest

from mlgates.build.project import data_beside, make, unpacked
from mlgates.config.load import load_settings
from mlgates.config.project import Project
from mlgates.core.errors import BuildRefused
from mlgates.core.values import SourceState

SOURCE = SourceState("c0ffee", dirty=False)


def git(project: Project, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(project.root), *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(project: Project) -> Project:
    git(project, "init", "-q")
    (project.root / "src" / "code.py").write_text("code")
    (project.root / "secret.env").write_text("no part of a build")
    git(project, "add", "src", "mlops", "data", "secret.env")
    (project.root / "src" / "untracked.py").write_text("not tracked")
    return project


def test_a_build_holds_what_git_tracks_of_the_projects_parts(checkout: Project, tmp_path: Path) -> None:
    files = make(checkout, SOURCE, tmp_path / "dist").manifest.files
    assert {"src/code.py", "mlops/config-mlops.yml", "data/train.csv"} <= files.keys()
    assert {"secret.env", "src/untracked.py"} & files.keys() == set()


def test_a_build_is_a_project_with_the_same_settings(checkout: Project, tmp_path: Path) -> None:
    build = make(checkout, SOURCE, tmp_path / "dist")
    with unpacked(build.file) as held:
        settings = load_settings(held.project, "local", environ={})
    assert settings.model_name == load_settings(checkout, "local", environ={}).model_name


def test_the_folder_of_an_unpacked_build_ends_with_its_use(checkout: Project, tmp_path: Path) -> None:
    with unpacked(make(checkout, SOURCE, tmp_path / "dist").file) as held:
        assert held.project.names_file.is_file()
    assert not held.project.root.exists()


def test_a_project_outside_of_git_cannot_be_built(project: Project, tmp_path: Path) -> None:
    with pytest.raises(BuildRefused, match="no git checkout"):
        make(project, SOURCE, tmp_path / "dist")


def test_the_data_of_a_build_is_what_lies_in_the_checkout_now(checkout: Project, tmp_path: Path) -> None:
    with unpacked(make(checkout, SOURCE, tmp_path / "dist").file) as held:
        assert data_beside(held.project, checkout) == checkout.root / "data" / "train.csv"


def test_data_that_is_a_uri_stays_as_it_is_declared(checkout: Project) -> None:
    (checkout.training / "dataset.yml").write_text("path: https://data.example/train.csv\n")
    assert data_beside(checkout, checkout) is None
