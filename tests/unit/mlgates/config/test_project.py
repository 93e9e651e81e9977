from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.project import Project, find_project, parse_yaml
from mlgates.core.errors import ConfigurationError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "mlops").mkdir()
    (tmp_path / "mlops" / "config-mlops.yml").touch()
    return tmp_path


def test_a_project_is_found_from_within(root: Path) -> None:
    inner = root / "src" / "deep"
    inner.mkdir(parents=True)
    assert find_project(inner) == Project(root)


@pytest.mark.parametrize(
    ("attribute", "path"),
    [
        ("mlops", "mlops"),
        ("names_file", "mlops/config-mlops.yml"),
        ("gates_file", "mlops/gates.yml"),
        ("release_file", "mlops/release.yml"),
        ("reports", "reports"),
        ("training", "mlops/continuous-training"),
        ("online", "mlops/deploy/online"),
        ("batch", "mlops/deploy/batch"),
        ("local_state", ".amlocal"),
    ],
)
def test_what_is_declared_or_written_has_its_place(attribute: str, path: str) -> None:
    assert getattr(Project(Path("root")), attribute) == Path("root") / path


def test_outside_of_a_project_the_way_out_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--project"):
        find_project(tmp_path)


def test_files_are_shown_as_seen_from_the_project(root: Path) -> None:
    assert Project(root).shown(root / "mlops" / "x.yml") == "mlops/x.yml"


def test_a_file_elsewhere_is_shown_whole(root: Path) -> None:
    assert Project(root / "mlops").shown(root / "x.yml") == str(root / "x.yml")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="ascii"))
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc:- #'"), inner))


@given(DOCUMENTS)
def test_it_is_read_as_pyyaml_reads_it_in_python(document: object) -> None:
    text = yaml.safe_dump(document)
    assert parse_yaml(text) == yaml.safe_load(text)
