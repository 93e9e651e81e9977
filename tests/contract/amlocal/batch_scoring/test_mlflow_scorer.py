"""Files scored with an MLflow model: the model a function here, but for one that MLflow has saved."""

import importlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlocal.batch_scoring import tables
from amlocal.batch_scoring.batch_job import Scorer
from amlocal.batch_scoring.driver import score
from amlocal.batch_scoring.tables import Columns
from tests.unit.amlocal.batch_scoring.conftest import Job
from tests.unit.amlocal.batch_scoring.workers import threads

pytestmark = [
    pytest.mark.usefixtures("interpreter", "mlflow_is_imported"),
    pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType:UserWarning"),  # MLflow's own
    pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning"),
]
NUMBERS = Columns({"a": "double"})
Predict = Callable[[pd.DataFrame], Any]


class Function:
    """A function as a model that MLflow has loaded."""

    def __init__(self, predict: Predict) -> None:
        self.predict = predict


@pytest.fixture(scope="module")
def mlflow_is_imported() -> None:
    """Import MLflow, which takes seconds, where it is needed and not where tests are collected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("amlocal.batch_scoring.mlflow_scorer")


def double(rows: pd.DataFrame) -> Any:
    return rows["a"].to_numpy() * 2


def scorer(folder: Path, predict: Predict = double, *, keep: bool = True) -> Scorer:
    from amlocal.batch_scoring.mlflow_scorer import MlflowScorer  # noqa: PLC0415 - imports MLflow

    return MlflowScorer(Function(predict), NUMBERS, folder, keep_rows=keep)


def write(folder: Path, **files: str) -> list[Path]:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    return [folder / f"{name}.csv" for name in files]


@pytest.fixture
def three_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read tables three rows at a time."""
    whole = tables.chunks
    monkeypatch.setattr(
        "amlocal.batch_scoring.mlflow_scorer.chunks", lambda file, columns: whole(file, columns, rows=3)
    )


@given(st.lists(st.integers(-99, 99), max_size=10), st.lists(st.integers(-99, 99), max_size=10))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@pytest.mark.usefixtures("three_rows")
def test_every_row_is_scored_once_in_order_and_rows_count_from_0_in_each_file(
    tmp_path: Path, first: list[int], second: list[int]
) -> None:
    columns = {"one": first, "two": second}
    files = write(
        tmp_path, **{name: "a\n" + "".join(f"{value}\n" for value in column) for name, column in columns.items()}
    )
    result = scorer(tmp_path).run(files, tmp_path / "part")
    assert (result.rows, result.failed) == (len(first) + len(second), {})
    assert (tmp_path / "part").read_text().splitlines() == [
        f"{row},{value * 2.0},{name}.csv" for name, column in columns.items() for row, value in enumerate(column)
    ]


@pytest.mark.usefixtures("three_rows")
def test_a_file_that_breaks_in_its_middle_leaves_no_line_and_the_others_are_scored(tmp_path: Path) -> None:
    files = write(tmp_path, good="a\n1\n", broken="a\n" + "1\n" * 5 + "x\n", last="a\n2\n")
    result = scorer(tmp_path).run(files, tmp_path / "part")
    assert (tmp_path / "part").read_text() == "0,2.0,good.csv\n0,4.0,last.csv\n"
    assert (result.rows, list(result.failed)) == (2, ["broken.csv"])


def test_a_model_that_drops_a_row_fails_the_file(tmp_path: Path) -> None:
    files = write(tmp_path, rows="a\n1\n2\n")
    result = scorer(tmp_path, lambda rows: rows["a"].to_numpy()[1:]).run(files, tmp_path / "part")
    assert "the model answered 1 predictions to 2 rows" in result.failed["rows.csv"]


def test_what_a_model_raises_fails_the_file_at_a_bearable_length(tmp_path: Path) -> None:
    def predict(rows: pd.DataFrame) -> Any:
        raise ValueError("x" * 10**6)

    result = scorer(tmp_path, predict).run(write(tmp_path, rows="a\n1\n"), tmp_path / "part")
    assert len(result.failed["rows.csv"]) < 1100


def test_rows_that_are_not_kept_are_counted_all_the_same(tmp_path: Path) -> None:
    result = scorer(tmp_path, keep=False).run(write(tmp_path, rows="a\n1\n2\n"), tmp_path / "part")
    assert (result.rows, (tmp_path / "part").read_bytes()) == (2, b"")


def columns_of(*specs: Any) -> Columns:
    """Return the columns that are read for a model whose signature has these inputs."""
    from mlflow.models import Model, ModelSignature  # noqa: PLC0415
    from mlflow.types import Schema  # noqa: PLC0415

    from amlocal.batch_scoring.mlflow_scorer import signature_columns  # noqa: PLC0415

    return signature_columns(Model(signature=ModelSignature(inputs=Schema([*specs])) if specs else None))


def test_the_columns_are_those_that_the_signature_names() -> None:
    from mlflow.types import ColSpec, DataType  # noqa: PLC0415

    found = columns_of(ColSpec(DataType.double, "a"), ColSpec(DataType.string, "b", required=False))
    assert found == Columns({"a": "double", "b": "string"}, frozenset({"b"}))


def test_a_signature_without_names_leaves_the_columns_as_they_are() -> None:
    from mlflow.types import ColSpec, DataType, TensorSpec  # noqa: PLC0415

    tensor = TensorSpec(np.dtype("float64"), (-1, 2))
    assert columns_of() == columns_of(tensor) == columns_of(ColSpec(DataType.double)) == Columns({})


@pytest.fixture(scope="module")
def saved(mlflow_is_imported: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import mlflow  # noqa: PLC0415 - it takes seconds
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, DataType, Schema  # noqa: PLC0415

    class Doubling(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined,misc]
        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
            return double(model_input)

    folder = tmp_path_factory.mktemp("models") / "model"
    signature = ModelSignature(inputs=Schema([ColSpec(DataType.double, "a")]))
    mlflow.pyfunc.save_model(folder, python_model=Doubling(), signature=signature, pip_requirements=["mlflow"])
    return folder


def test_a_saved_model_scores_the_files_of_the_input_s_own_folder(
    job: Job, saved: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job.files = {"1.csv": "a\n1\n", "2.jsonl": '{"a": 2}\n', "deep/3.csv": "a\n3\n"}
    chosen, paths = job.lay_out("", script=None), replace(job.paths, model=saved)
    assert score(chosen, paths, start=threads(chosen, paths)).summary() == "2 files, 2 results, 0 files failed"
    assert job.lines == ["0,2.0,1.csv", "0,4.0,2.jsonl"]
    assert "1 files in folders below the input are left out" in caplog.text
    assert "Azure ML reads tables from .csv, .parquet and .pqt alone, .jsonl only here" in caplog.text
