"""Tables that `mlgates init` has never seen: those that scikit-learn brings, and one of every kind of column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

WORDS = ["great", "terrible", "fine", "slow", "broken", "lovely", "cheap", "quick", "service", "box", "price", "team"]


@dataclass(frozen=True)
class Case:
    """A table, the column to predict, and the task that it makes."""

    load: Callable[[], pd.DataFrame]
    target: str
    task: str


def with_names(bunch: Callable[..., Any]) -> Callable[[], pd.DataFrame]:
    """Return what loads one of scikit-learn's, the classes under their names."""

    def load() -> pd.DataFrame:
        found = bunch(as_frame=True)
        frame: pd.DataFrame = found.frame
        return frame.assign(target=found.target_names[frame["target"]])

    return load


def frame_of(bunch: Callable[..., Any]) -> Callable[[], pd.DataFrame]:
    """Return what loads one of scikit-learn's as it is."""
    return lambda: bunch(as_frame=True).frame


def orders(rows: int = 600) -> pd.DataFrame:
    """Return rows of every kind of column, with gaps, names that are no identifiers, and a label in words."""
    chance = np.random.default_rng(0)
    good = chance.random(rows) < 0.4
    days = pd.Series(pd.Timestamp("2023-01-01") + pd.to_timedelta(chance.integers(0, 700, rows), "D"))
    frame = pd.DataFrame(
        {
            "order id": range(1000, 1000 + rows),
            "größe": chance.normal(10, 3, rows).round(2),
            "count": chance.integers(0, 9, rows),
            "zip": [f"{number:05}" for number in chance.integers(0, 90, rows)],
            "color": chance.choice(["red", "blue", "green"], rows),
            "member": chance.choice([True, False], rows),
            "sent": days.dt.strftime("%Y-%m-%d"),
            "class": [" ".join(chance.choice(WORDS[:4] if each else WORDS, 6)) for each in good],
            "opted": chance.choice([True, False], rows).astype(object),
            "empty": None,
        }
    )
    gappy = ("größe", "color", "sent", "class", "opted")
    gaps = {name: frame[name].mask(chance.random(rows) < 0.1) for name in gappy}
    return frame.assign(**gaps, happy=np.where(good, "yes", "no"))


CASES = {
    "breast-cancer": Case(frame_of(datasets.load_breast_cancer), "target", "binary"),
    "wine": Case(frame_of(datasets.load_wine), "target", "multiclass"),
    "iris-by-name": Case(with_names(datasets.load_iris), "target", "multiclass"),
    "diabetes": Case(frame_of(datasets.load_diabetes), "target", "regression"),
    "orders": Case(orders, "happy", "binary"),
}
