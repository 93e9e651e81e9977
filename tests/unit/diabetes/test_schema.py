import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from diabetes.schema import COLUMNS, FEATURE_COLUMNS, FEATURES, IDENTIFIER, LABEL, Column


def test_the_eight_features_keep_the_order_in_which_requests_name_them() -> None:
    assert FEATURES == (
        "Pregnancies",
        "PlasmaGlucose",
        "DiastolicBloodPressure",
        "TricepsThickness",
        "SerumInsulin",
        "BMI",
        "DiabetesPedigree",
        "Age",
    )


def test_neither_identifier_nor_label_is_a_feature() -> None:
    assert not {IDENTIFIER, LABEL} & set(FEATURES)


def test_the_columns_are_the_identifier_the_features_and_the_label() -> None:
    assert [column.name for column in COLUMNS] == [IDENTIFIER, *FEATURES, LABEL]


@pytest.mark.parametrize("column", FEATURE_COLUMNS, ids=lambda column: column.name)
def test_a_feature_has_a_unit_and_a_range(column: Column) -> None:
    assert column.unit
    assert column.minimum < column.maximum


def reached(module: str) -> Iterator[str]:
    """Every module that an import of this one reaches, as far as our own sources tell."""
    yield module
    if module.startswith("diabetes."):
        for node in ast.walk(ast.parse(source(module))):
            for imported in named(node):
                yield from reached(imported)


def source(module: str) -> str:
    spec = find_spec(module)
    return Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""


def named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module == "diabetes":
        return [f"diabetes.{alias.name}" for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


@pytest.mark.parametrize("module", ["schema", "patients", "split", "estimators", "evaluation", "training"])
def test_the_science_needs_no_mlflow(module: str) -> None:
    assert not [name for name in reached(f"diabetes.{module}") if name.split(".")[0] == "mlflow"]


def test_the_record_needs_mlflow() -> None:
    assert "mlflow" in reached("diabetes.main")
