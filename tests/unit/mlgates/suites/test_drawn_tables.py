import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.errors import ConfigurationError
from mlgates.evaluation.target import EvaluationConfig, Task
from mlgates.suites.drawn_tables import Content, TableSchema, draw_table, read_schema


def suite(folder: Path, *expectations: tuple[str, dict[str, Any]]) -> Path:
    file = folder / "suite.json"
    stored = [{"type": f"expect_{kind}", "kwargs": settings} for kind, settings in expectations]
    file.write_text(json.dumps({"name": "suite", "expectations": stored}))
    return file


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> TableSchema:
    file = suite(
        tmp_path_factory.mktemp("suite"),
        ("table_columns_to_match_ordered_list", {"column_list": ["id", "size", "color", "day", "note", "y"]}),
        ("column_values_to_be_unique", {"column": "id"}),
        ("column_values_to_be_of_type", {"column": "id", "type_": "int64"}),
        ("column_values_to_be_between", {"column": "size", "min_value": -2, "max_value": 3}),
        ("column_values_to_not_be_null", {"column": "size", "mostly": 0.7}),
        ("column_values_to_be_in_set", {"column": "color", "value_set": ["red", "blue"]}),
        ("column_values_to_match_regex", {"column": "day", "regex": r"^\d{4}-\d{2}-\d{2}"}),
        ("column_values_to_be_in_set", {"column": "y", "value_set": ["no", "yes"]}),
    )
    return read_schema(file, EvaluationConfig(label="y", task=Task.BINARY))


def test_a_suite_says_what_columns_hold(schema: TableSchema) -> None:
    assert [each.content for each in schema.columns] == [
        Content.IDENTIFIER,
        Content.NUMBER,
        Content.CATEGORY,
        Content.DATE,
        Content.TEXT,
        Content.CATEGORY,
    ]


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(20, 200))
def test_a_table_keeps_what_the_suite_says(schema: TableSchema, seed: int, rows: int) -> None:
    table = draw_table(schema, seed, rows)
    assert len(table) == rows
    assert table["id"].is_unique
    assert table["size"].dropna().between(-2, 3).all()
    assert set(table["color"]) <= {"red", "blue"}
    assert set(table["y"]) == {"no", "yes"}


def test_a_seed_repeats_its_table(schema: TableSchema) -> None:
    pd.testing.assert_frame_equal(draw_table(schema, 7, 50), draw_table(schema, 7, 50))


def test_values_are_missing_where_the_suite_lets_them(schema: TableSchema) -> None:
    missing = draw_table(schema, 0, 200).isna().sum()
    assert list(missing[missing > 0].index) == ["size"]


def test_a_label_that_the_suite_does_not_know_is_refused(tmp_path: Path) -> None:
    file = suite(tmp_path, ("column_values_to_be_unique", {"column": "id"}))
    with pytest.raises(ConfigurationError, match="it has no column y, which gates"):
        read_schema(file, EvaluationConfig(label="y"))
