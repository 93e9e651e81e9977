import os
from pathlib import Path

import pytest

from amlocal.jobs.own_files import OwnFiles


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "job"
    (root / "outputs" / "sub").mkdir(parents=True)
    (root / "outputs" / "b.txt").touch()
    (root / "outputs" / "sub" / "a.txt").touch()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").touch()
    return root


def found(root: Path, folder: str = "outputs") -> tuple[list[str], list[str]]:
    files = OwnFiles(root / folder, root)
    return [relative for relative, _ in files], [str(path.relative_to(root)) for path in files.strangers]


def test_files_come_by_name_with_slashes(root: Path) -> None:
    assert found(root) == (["b.txt", "sub/a.txt"], [])


def test_a_file_alone_is_itself(root: Path) -> None:
    assert found(root, "outputs/b.txt") == (["."], [])


def test_nothing_is_there_where_nothing_is(root: Path) -> None:
    assert found(root, "nowhere") == ([], [])


@pytest.mark.parametrize("target", ["../../secret", "../../secret/key", "/etc/hostname", ".."])
def test_a_link_out_of_the_jobs_folder_is_left_out_and_named(root: Path, target: str) -> None:
    (root / "outputs" / "link").symlink_to(target if target != ".." else root.parent)
    assert found(root) == (["b.txt", "sub/a.txt"], ["outputs/link"])


def test_an_output_that_became_a_link_out_is_left_out(root: Path) -> None:
    (root / "y").symlink_to(root.parent / "secret")
    assert found(root, "y") == ([], ["y"])


def test_links_within_the_jobs_folder_are_followed(root: Path) -> None:
    (root / "outputs" / "latest").symlink_to("sub")
    (root / "outputs" / "best.txt").symlink_to("sub/a.txt")
    assert found(root) == (["b.txt", "best.txt", "latest/a.txt", "sub/a.txt"], [])


def test_links_in_a_circle_come_to_an_end(root: Path) -> None:
    (root / "outputs" / "sub" / "up").symlink_to("..")
    assert found(root) == (["b.txt", "sub/a.txt"], [])


def test_pipes_and_links_to_nowhere_are_left_out(root: Path) -> None:
    os.mkfifo(root / "outputs" / "pipe")
    (root / "outputs" / "dangling").symlink_to("nothing")
    assert found(root) == (["b.txt", "sub/a.txt"], [])


def test_the_jobs_folder_may_itself_be_behind_a_link(root: Path) -> None:
    (root.parent / "alias").symlink_to(root)
    assert found(root.parent / "alias") == (["b.txt", "sub/a.txt"], [])
