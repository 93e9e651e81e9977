from pathlib import Path, PurePosixPath

import pytest

from mlgates.core.layers import LAYERS, layer_of, selected_layers


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for layer in ("unit", "data", "contract"):
        (tmp_path / "tests" / layer / "deep").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("layer", LAYERS)
def test_a_test_belongs_to_the_folder_it_lies_in(layer: str) -> None:
    assert layer_of(PurePosixPath("tests", layer, "deep", "test_x.py")) == layer


@pytest.mark.parametrize("path", ["tests/test_x.py", "tests/other/test_x.py", "src/unit/test_x.py", "tests/unit"])
def test_other_files_belong_to_no_layer(path: str) -> None:
    assert layer_of(PurePosixPath(path)) is None


@pytest.mark.parametrize(
    ("chosen", "layers"),
    [
        ("tests", {"unit", "data", "contract"}),
        (".", {"unit", "data", "contract"}),
        ("tests/unit", {"unit"}),
        ("tests/unit/deep/test_x.py", {"unit"}),
        ("tests/integration", set()),
        ("elsewhere", set()),
    ],
)
def test_a_choice_selects_the_layers_it_touches(project: Path, chosen: str, layers: set[str]) -> None:
    assert selected_layers(project, [project / chosen]) == layers
