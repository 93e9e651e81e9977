"""Makes the synthetic stand-in: a table that looks like the real training set, and trains like it, without its rows.

The label is given first; each column is then drawn by itself from that label's bands in `stand_in.toml`. The same
seed gives the same bytes everywhere: chance is taken as evenly spread numbers from PCG64 alone (NumPy keeps that
stream stable, its other distributions not), the arithmetic is rounded, and no step depends on how a sum is ordered.
"""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from diabetes.schema import COLUMNS, FEATURES, IDENTIFIER, LABEL

GENERATOR_VERSION: Final = 1
"""Raised with every change that gives other bytes."""

_SEED: Final = 2

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]


def content() -> bytes:
    """Return the stand-in as the CSV file it becomes."""
    return generate(_SEED).to_csv(index=False, lineterminator="\n").encode()


def generate(seed: int) -> pd.DataFrame:
    """Draw a table of 15,000 patients in the schema's columns, types and units."""
    table = tomllib.loads(resources.files(__package__).joinpath("stand_in.toml").read_text(encoding="utf-8"))
    chance = np.random.Generator(np.random.PCG64(seed))
    labels = _labels(table["patients"])
    drawn: dict[str, npt.NDArray[Any]] = {
        **{name: _column(table[name], labels, chance.random(len(labels))) for name in FEATURES},
        IDENTIFIER: _identifiers(table["patients"], len(labels), chance),
        LABEL: labels,
    }
    ordered = pd.DataFrame({column.name: drawn[column.name].astype(column.dtype) for column in COLUMNS})
    return ordered.iloc[_shuffled(len(labels), chance)].reset_index(drop=True)


def _labels(patients: Mapping[str, int]) -> _Integers:
    return np.repeat(np.array([0, 1], dtype=np.int64), [patients["healthy"], patients["diabetic"]])


def _column(column: Mapping[str, Any], labels: _Integers, chance: _Floats) -> _Floats:
    """Give each patient a value: `chance`, 0 to 1, says how far along the bands of the patient's label it lies."""
    low, below, *counts = np.array(column["bands"], dtype=np.float64).T
    values = np.empty(len(labels))
    for label, count in enumerate(counts):
        of_label = labels == label
        values[of_label] = _along(low, below, count, chance[of_label])
    decimals: int = column["decimals"]
    # Whole numbers are rounded down, so that a band holds each of its values equally often.
    return np.round(values, decimals) if decimals else np.floor(values)


def _along(low: _Floats, below: _Floats, count: _Floats, chance: _Floats) -> _Floats:
    """Invert the cumulated bands: the share `chance` of all patients has at most the value returned."""
    ends = np.cumsum(count)
    reached = chance * ends[-1]
    band = np.searchsorted(ends, reached, side="right")
    within = (reached - (ends - count)[band]) / count[band]
    values: _Floats = low[band] + (below - low)[band] * within
    return values


def _identifiers(patients: Mapping[str, int], rows: int, chance: np.random.Generator) -> _Integers:
    """Spread distinct identifiers evenly, one in each of as many equal stretches, and let some occur twice."""
    distinct = rows - patients["repeated_ids"]
    start, below = patients["id_from"], patients["id_below"]
    edges = start + np.arange(distinct + 1) * (below - start) // distinct
    once = edges[:-1] + np.floor(np.diff(edges) * chance.random(distinct)).astype(np.int64)
    once = once[_shuffled(distinct, chance)]
    return np.concatenate([once, once[: patients["repeated_ids"]]])


def _shuffled(length: int, chance: np.random.Generator) -> _Integers:
    return np.argsort(chance.random(length), kind="stable")
