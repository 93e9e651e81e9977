from pathlib import Path

import pytest

from diabetes_dataset import source
from diabetes_dataset.errors import DatasetError

ROOT = Path(__file__).parents[3]


def test_the_projects_source_is_the_published_data_set() -> None:
    declared = source.read(ROOT / "data" / "source.toml")
    assert declared.url.startswith("https://")
    assert declared.sha256 == "d411236fc209cbbd6260f07974976fcd551bb7b575fbea484ad5e7fb139895a2"


def test_a_missing_source_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="start from the project's root"):
        source.read(tmp_path / "source.toml")


@pytest.mark.parametrize("text", ['url = "x"', 'url = "x"\nsha256 = 5'])
def test_a_missing_or_wrong_key_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "source.toml"
    path.write_text(text)
    with pytest.raises(DatasetError, match="'sha256'"):
        source.read(path)


@pytest.mark.parametrize("content", [b"url = ", b"\xff\xfe"])
def test_what_is_no_toml_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "source.toml"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="not TOML"):
        source.read(path)
