"""The files of a batch job and its mini batches."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from amlocal.batch_scoring.batch_job import display_name, input_files, mini_batches, top_level


@given(st.lists(st.text("abc", min_size=1).map(Path), unique=True), st.integers(1, 5))
def test_mini_batches_hold_every_file_once_in_order(files: list[Path], size: int) -> None:
    batches = list(mini_batches(files, size))
    assert [file for batch in batches for file in batch.files] == files
    assert [batch.number for batch in batches] == list(range(len(batches)))


@given(st.lists(st.text("abc", min_size=1).map(Path), min_size=1), st.integers(1, 5))
def test_only_the_last_mini_batch_may_be_smaller(files: list[Path], size: int) -> None:
    *full, last = [len(batch.files) for batch in mini_batches(files, size)]
    assert set(full) <= {size}
    assert 1 <= last <= size


def test_files_are_found_at_any_depth_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = ["a.csv", "b/1.csv", "b/c/2.csv", "z.csv"]
    for name in reversed(names):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [display_name(file, tmp_path) for file in input_files(tmp_path)] == names


def test_a_file_alone_goes_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.touch()
    assert [display_name(found, file) for found in input_files(file)] == ["rows.csv"]


def test_the_top_level_is_without_what_is_in_folders(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b" / "c"]
    assert top_level(files, tmp_path) == [tmp_path / "a"]
    assert top_level([tmp_path / "a"], tmp_path / "a") == [tmp_path / "a"]
