"""The notebook runs from its first cell to its last, and is stored without what it printed."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.unit.diabetes.frames import cohort

NOTEBOOK = Path(__file__).resolve().parents[3] / "notebooks" / "experiments.ipynb"


@pytest.fixture
def notebook() -> NotebookNode:
    read: NotebookNode = nbformat.reads(NOTEBOOK.read_text("utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    return read


def test_the_notebook_is_stored_without_outputs(notebook: NotebookNode) -> None:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in cells] == [([], None)] * len(cells)


def test_the_notebook_comes_to_a_conclusion(
    notebook: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort().to_csv(tmp_path / "diabetes.csv", index=False)
    monkeypatch.setenv("DIABETES_DATA", str(tmp_path / "diabetes.csv"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # no database to migrate, which takes seconds
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    conclusion = notebook.cells[-2].outputs[-1]["data"]["text/plain"]
    assert "1. scaling and one-hot ages" in conclusion
