"""Which rows a training run set aside, as its artifact `held_out.json` says; in one of four forms:

{"rows": [3, 7], "of": 10}                    the numbers of rows, and of how many
{"column": "patient", "values": ["a", "b"]}   the values of an id column
{"column": "day", "from": "2026-01-01"}       a time from which on
{"data": "test-set:3"}                        a data asset of its own, name and version
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlgates.evaluation.errors import CouldNotRun

HELD_OUT = "held_out.json"
"""The artifact of the training run."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Which rows were set aside."""

    rows: tuple[int, ...] = ()
    of: int = 0
    column: str = ""
    values: tuple[Any, ...] = ()
    since: Any = None
    data: str = ""
    """Name and version of a data asset that is nothing but held-out rows; empty for rows of the training data."""

    def of_table(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the training data that were set aside. Raises `CouldNotRun` when it is other data."""
        if self.data:
            return table
        if self.rows:
            if len(table) != self.of:
                raise CouldNotRun(
                    f"{HELD_OUT} was drawn from {self.of} rows, and the data has {len(table)}",
                    remedy="was the model trained on the data that its tags name? Train it again by mlgates",
                )
            return table.iloc[list(self.rows)]
        if self.column not in table:
            raise CouldNotRun(f"the data has no column {self.column}, by which {HELD_OUT} names rows")
        chosen = self._by_value(table[self.column])
        if not chosen.any():
            raise CouldNotRun(
                f"no row of the data is one that {HELD_OUT} names by {self.column}",
                remedy="was the model trained on the data that its tags name? Train it again by mlgates",
            )
        return table[chosen.to_numpy(dtype=bool, na_value=False)]

    def _by_value(self, column: pd.Series) -> "pd.Series[bool]":
        if self.since is None:
            known, there = set(map(_id, self.values)), column.map(_id)
            if gone := known - set(there):
                raise CouldNotRun(
                    f"{HELD_OUT} names {len(gone)} values of {self.column} that are not in the data: {min(gone)}, ...",
                    remedy="was the model trained on the data that its tags name? Train it again by mlgates",
                )
            return there.isin(known)
        if isinstance(self.since, int | float):
            if not pd.api.types.is_numeric_dtype(column):
                raise CouldNotRun(f"{HELD_OUT} names a number, and {self.column} holds none")
            return column >= self.since
        moments = pd.to_datetime(column, errors="coerce", format="mixed", utc=True)
        return moments >= pd.Timestamp(self.since, tz="UTC") if moments.notna().any() else moments.notna()


def read_held_out(text: str) -> HeldOut:
    """Return what `held_out.json` says. Raises `CouldNotRun` for anything that is none of its forms."""
    try:
        match json.loads(text):
            case {"rows": list(rows), "of": int(of)} if rows and all(0 <= int(row) < of for row in rows):
                return HeldOut(rows=tuple(np.asarray(rows, dtype=np.int64).tolist()), of=of)
            case {"column": str(column), "values": list(values)} if values:
                return HeldOut(column=column, values=tuple(values))
            case {"column": str(column), "from": str() | int() | float() as since}:
                return HeldOut(column=column, since=since if isinstance(since, int | float) else _moment(since))
            case {"data": str(data)} if ":" in data:
                return HeldOut(data=data)
    except (ValueError, TypeError, OverflowError):
        pass
    raise CouldNotRun(
        f'{HELD_OUT} does not say which rows were set aside, as {{"rows": [3, 7], "of": 10}} does',
        remedy="correct what training logs (docs/gates.md has the forms), and train again",
    )


def _id(value: Any) -> str:
    """Return an id as text; a whole number that a gap beside it made a float as it was written."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _moment(text: str) -> str:
    pd.Timestamp(text)  # a ValueError for what is no moment
    return text
