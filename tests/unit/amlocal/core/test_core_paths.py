import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import AmlocalError
from amlocal.core.paths import WorkspaceFolder, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("private") / "file"


@given(st.binary())
def test_a_private_file_holds_what_was_written_and_is_its_owners(target: Path, content: bytes) -> None:
    write_private(target, content)
    assert target.read_bytes() == content
    assert mode(target) == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_a_file_that_could_be_read_by_all_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o644)
    write_private(path, b"secret")
    assert mode(path) == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, b"old")
    with pytest.raises(TypeError):
        write_private(path, "no bytes")  # type: ignore[arg-type]  # what fails half-way
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_only_the_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    folder = WorkspaceFolder(tmp_path / "root")
    folder.root.mkdir(0o755)
    folder.create()
    assert mode(folder.root) == 0o700


def test_to_create_the_folder_again_keeps_what_is_in_it(tmp_path: Path) -> None:
    folder = WorkspaceFolder(tmp_path / "root")
    folder.create()
    (folder.chunks / "x").touch()
    folder.create()
    assert (folder.chunks / "x").exists()


@pytest.mark.parametrize("name", ["a:b", "a\nb", "a\tb", "a\u2028b", "a\udcffb"])
def test_a_folder_where_no_environment_can_lie_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AmlocalError, match=r"Environments cannot lie in the folder .*Choose another with --root"):
        WorkspaceFolder(tmp_path / name / "local").create()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b", "é日\xa0", "'q' \"d\" $x `y` 50% #1 ?*[z]\\", "-x"])
def test_any_other_folder_is_taken(tmp_path: Path, name: str) -> None:
    WorkspaceFolder(tmp_path / name / "local").create()
