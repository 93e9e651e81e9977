"""Which patients a model learns from, and which it is judged on."""

from dataclasses import dataclass

import pandas as pd
from sklearn.model_selection import train_test_split

from diabetes.errors import DataError
from diabetes.schema import FEATURES, LABEL


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one side of a split: `features` in schema order, and the `labels` (0 or 1) of the same rows."""

    features: pd.DataFrame
    labels: pd.Series

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Split:
    """A table cut in two: no row is in both parts, and every row is in one."""

    train: Part
    test: Part


def split(patients: pd.DataFrame, *, test_size: float, seed: int) -> Split:
    """Draw `test_size` (a share, 0 to 1) of the rows at random for testing; the same `seed` draws the same rows.

    Rows are drawn without regard to the label, as in the figures this project is compared with. Raises `DataError`
    when a part lacks one of the two classes: neither can a model learn from it, nor an AUC be computed on it.
    """
    try:
        train, test = train_test_split(patients, test_size=test_size, random_state=seed)
    except ValueError as error:
        raise DataError(f"{len(patients)} rows are too few for a test share of {test_size:g}") from error
    return Split(_part(train, "training"), _part(test, "test"))


def _part(rows: pd.DataFrame, name: str) -> Part:
    labels = rows[LABEL]
    if labels.nunique() < 2:
        raise DataError(
            f"{LABEL}: all {len(labels)} rows of the {name} set have the value {labels.iloc[0]}; "
            "both classes are needed: give more rows, or another seed or test size"
        )
    return Part(rows[list(FEATURES)], labels)
