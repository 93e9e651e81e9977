"""How a table is changed where that must not matter to a model, or must."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlgates.evaluation.target import Task
from mlgates.suites.drawn_tables import Content, DrawnColumn, TableSchema, bounds

INDEXES: Mapping[str, Callable[[int], pd.Index]] = {
    "numbers from 1,000": lambda rows: pd.RangeIndex(1000, 1000 + rows),
    "numbers downwards": lambda rows: pd.RangeIndex(rows, 0, -1),
    "words": lambda rows: pd.Index([f"row {place}" for place in range(rows)]),
    "days": lambda rows: pd.date_range("2020-01-01", periods=rows),
    "the same number twice": lambda rows: pd.Index([place // 2 for place in range(rows)]),
}
Chosen: TypeAlias = npt.NDArray[np.bool_]
UNSEEN = "mlgates-unseen"
"""A word that no row has."""


def moved(table: pd.DataFrame, rows: pd.Index, columns: tuple[DrawnColumn, ...], *, unseen: bool) -> pd.DataFrame:
    """Return the table with other values in some rows: numbers far off, words `unseen` or of another row."""
    changed = table.copy()
    for column in columns:
        changed[column.name] = _moved(table[column.name], table.index.isin(rows), column, unseen=unseen)
    return changed


def _moved(values: pd.Series, chosen: Chosen, column: DrawnColumn, *, unseen: bool) -> pd.Series:
    match column.content:
        case Content.NUMBER | Content.WHOLE:
            low, high = bounds(column)
            # Within the range, since training may refuse what is beyond: mirrored, and pressed to its upper end.
            other = low + (high - low) * (0.9 + 0.1 * (high - values) / ((high - low) or 1.0))
            other = other.round().astype(values.dtype) if column.content is Content.WHOLE else other
        case Content.BOOLEAN:
            other = ~values.astype(bool)
        case Content.DATE:
            other = pd.Series("2031-12-31", index=values.index, dtype=object)
        case Content.CATEGORY if not unseen or pd.api.types.is_numeric_dtype(values):
            other = pd.Series(np.roll(values.to_numpy(), 1), index=values.index)
        case Content.TEXT | Content.CATEGORY:
            other = pd.Series(f"{UNSEEN} {UNSEEN}", index=values.index, dtype=object)
        case _:
            other = values
    return other.where(chosen, values)


def with_copies(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the table with columns that no training was declared to use, copies of the label among them."""
    codes = pd.factorize(table[label])[0]
    noise = np.random.default_rng(0).normal(size=len(table))
    copies: dict[str, Any] = {
        f"{label}_copy": table[label],
        f"{label}_code": codes,
        "mlgates_noise": noise,
        "mlgates_note": "words",
    }
    return table.assign(**copies)


def with_labels(table: pd.DataFrame, schema: TableSchema, order: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return the table with the labels of the rows `order`."""
    label = schema.label.name
    return table.assign(**{label: table[label].to_numpy()[order]})


def flipped(table: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """Return the table with each class in the place of the one opposite, and each number mirrored."""
    label = schema.label.name
    values = table[label]
    if schema.evaluation.task is Task.REGRESSION or not schema.classes:
        return table.assign(**{label: (values.max() + values.min() - values).astype(values.dtype)})
    opposite = dict(zip(schema.classes, reversed(schema.classes), strict=True))
    return table.assign(**{label: values.map(opposite).astype(values.dtype)})
