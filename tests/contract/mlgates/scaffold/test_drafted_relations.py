import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlgates import load_suite, read_csv, validate
from mlgates.scaffold.drafted_relations import draft_whole_suite, hints
from mlgates.scaffold.target import find_target, read_target
from tests.unit.mlgates.scaffold.tables import columns_of

VISITS = pd.DataFrame(
    {
        "number": range(1, 121),
        "patient": [f"P{place % 40:04d}" for place in range(120)],
        "day": [f"2024-{1 + place // 28:02d}-{1 + place % 28:02d}" for place in range(120)],
        "weight": np.random.default_rng(0).normal(70, 9, 120).round(1),
        "well": ["yes", "no", "no"] * 40,
    }
)


def drafted(table: pd.DataFrame, label: str = "well") -> str:
    columns = columns_of(table)
    return draft_whole_suite(columns, read_target(find_target(columns, label), None), len(table))


def broken(table: pd.DataFrame, tmp_path: Path) -> set[str]:
    """Return the expectations of the visits' suite that a table does not meet."""
    (tmp_path / "suite.json").write_text(drafted(VISITS))
    table.to_csv(tmp_path / "table.csv", index=False)
    result = validate(read_csv(tmp_path / "table.csv"), load_suite(tmp_path / "suite.json"))
    return {each.expectation.removeprefix("expect_") for each in result.failed}


def test_a_table_meets_what_was_drafted_from_it(tmp_path: Path) -> None:
    assert broken(VISITS, tmp_path) == set()


@pytest.mark.parametrize(
    ("breaking", "expectation"),
    [
        (
            lambda table: table.assign(well=table["well"].map({"yes": "no", "no": "yes"})),
            "column_kl_divergence_to_be_less_than",
        ),
        (lambda table: table.iloc[::-1], "column_values_to_be_increasing"),
    ],
    ids=["label turned round", "rows in another order"],
)
def test_what_rows_say_together_is_held(
    breaking: Callable[[pd.DataFrame], pd.DataFrame], expectation: str, tmp_path: Path
) -> None:
    assert broken(breaking(VISITS), tmp_path) == {expectation}


def test_two_columns_that_name_the_row_together_are_held() -> None:
    suite: dict[str, Any] = json.loads(drafted(VISITS.drop(columns="number")))
    (found,) = (each["kwargs"] for each in suite["expectations"] if "compound" in each["type"])
    assert found == {"column_list": ["patient", "day"]}


def test_every_expectation_tells_the_profile_that_led_to_it() -> None:
    suite: dict[str, Any] = json.loads(drafted(VISITS))
    profiles = [each["meta"]["profile"] for each in suite["expectations"]]
    assert all(each["rows"] == 120 for each in profiles)
    (weight, *_) = (e["meta"]["profile"] for e in suite["expectations"] if e["kwargs"].get("column") == "weight")
    assert weight["least"] == VISITS["weight"].min()


def test_an_order_in_time_is_told() -> None:
    columns = columns_of(VISITS)
    told = hints(columns, read_target(find_target(columns, "well"), None), len(VISITS))
    assert any(line.startswith("day: the rows come in its order") for line in told)
