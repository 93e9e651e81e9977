"""Tables of patients for tests: any valid one, and one with something to learn in it."""

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes

from diabetes.schema import COLUMNS, FEATURE_COLUMNS, IDENTIFIER, LABEL, Column

QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties that fit a model in every example."""


def _elements(of: Column) -> st.SearchStrategy[float]:
    if of.dtype == "int64":
        return st.integers(int(of.minimum), int(of.maximum))
    return st.floats(of.minimum, of.maximum)


def _with_both_classes(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{LABEL: [0, 1, *frame[LABEL].iloc[2:]]})


def valid_tables(min_rows: int = 8, max_rows: int = 15) -> st.SearchStrategy[pd.DataFrame]:
    """Any table that keeps the schema and holds both classes, in its first two rows at the least."""
    columns = [column(c.name, elements=_elements(c), dtype=np.dtype(c.dtype)) for c in COLUMNS]
    return data_frames(columns, index=range_indexes(min_rows, max_rows)).map(_with_both_classes)


def cohort(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    """A table in which glucose and BMI decide about the label, all else being noise."""
    chance = np.random.default_rng(seed)
    table = pd.DataFrame({IDENTIFIER: np.arange(1, rows + 1)})
    for c in FEATURE_COLUMNS:
        table[c.name] = chance.uniform(c.minimum, c.maximum, rows).astype(c.dtype)
    risk = table["PlasmaGlucose"] / 400 + table["BMI"] / 80 + chance.normal(0, 0.1, rows)
    table[LABEL] = (risk > risk.quantile(0.6)).astype("int64")
    return table
