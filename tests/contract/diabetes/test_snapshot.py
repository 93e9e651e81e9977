"""What a command job receives of `src`, judged by the class with which azure-ai-ml reads `.amlignore`."""

import shutil
from pathlib import Path
from typing import Any

import pytest

# azure-ai-ml 1.35 defines its schemas in a way that marshmallow 3 calls outdated
pytestmark = pytest.mark.filterwarnings("ignore::marshmallow.warnings.Marshmallow4Warning")

SOURCES = Path(__file__).resolve().parents[3] / "src"


def uploaded(folder: Path) -> set[str]:
    # imported here, since it takes seconds that other tests need not wait
    from azure.ai.ml._utils._asset_utils import get_ignore_file, get_upload_files_from_folder  # noqa: PLC0415

    found: list[Any] = get_upload_files_from_folder(folder, ignore_file=get_ignore_file(folder))
    return {path for _, path in found}


def test_the_training_code_is_uploaded_whole() -> None:
    package = SOURCES / "diabetes"
    assert {path.relative_to(SOURCES).as_posix() for path in package.glob("*.py")} <= uploaded(SOURCES)


def test_nothing_else_of_the_sources_is_uploaded() -> None:
    assert {path.split("/")[0] for path in uploaded(SOURCES)} == {"diabetes"}


@pytest.mark.parametrize(
    "leftover",
    [
        "notes.txt",
        "mlgates/cli.py",
        "mlgates.egg-info/PKG-INFO",
        "mlgates/diabetes/main.py",
        "__pycache__/x.py",
        "diabetes/__pycache__/main.cpython-311.pyc",
        "diabetes_dataset/download.py",
        "diabetes/inner/__pycache__/cli.cpython-311.pyc",
        "diabetes/main.pyc",
        "diabetes/.DS_Store",
        "diabetes/.ipynb_checkpoints/main.py",
    ],
)
def test_a_leftover_is_not_uploaded(tmp_path: Path, leftover: str) -> None:
    shutil.copy(SOURCES / ".amlignore", tmp_path)
    for name in ("diabetes/main.py", leftover):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert uploaded(tmp_path) == {"diabetes/main.py"}
