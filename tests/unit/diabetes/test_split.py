import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diabetes import patients
from diabetes.errors import DataError
from diabetes.schema import FEATURES, IDENTIFIER, LABEL
from diabetes.split import Split, split
from tests.unit.diabetes import frames
from tests.unit.diabetes.frames import QUICK

shares = st.floats(0.2, 0.8)
seeds = st.integers(0, 2**32 - 1)


TABLE = patients.check(frames.cohort())


def _cut(rows: int, share: float, seed: int) -> tuple[pd.DataFrame, Split]:
    table = TABLE.head(rows)
    return table, split(table, test_size=share, seed=seed)


@QUICK
@given(st.integers(60, 200), shares, seeds)
def test_every_row_is_in_one_part_and_no_row_in_both(rows: int, share: float, seed: int) -> None:
    table, parts = _cut(rows, share, seed)
    assert sorted([*parts.train.labels.index, *parts.test.labels.index]) == list(table.index)


@QUICK
@given(st.integers(60, 200), shares, seeds)
def test_a_row_keeps_its_features_and_its_label(rows: int, share: float, seed: int) -> None:
    table, parts = _cut(rows, share, seed)
    for part in (parts.train, parts.test):
        pd.testing.assert_frame_equal(part.features, table.loc[part.labels.index, list(FEATURES)])
        pd.testing.assert_series_equal(part.labels, table.loc[part.labels.index, LABEL])


@QUICK
@given(st.integers(60, 200), shares, seeds)
def test_the_test_set_has_its_share(rows: int, share: float, seed: int) -> None:
    _, parts = _cut(rows, share, seed)
    assert abs(len(parts.test) - rows * share) <= 1


@QUICK
@given(shares, seeds)
def test_a_seed_repeats_its_split(share: float, seed: int) -> None:
    _, once = _cut(100, share, seed)
    _, again = _cut(100, share, seed)
    pd.testing.assert_frame_equal(once.test.features, again.test.features)


@QUICK
@given(seeds, seeds)
def test_another_seed_gives_another_split(one: int, other: int) -> None:
    assume(one != other)
    assert list(_cut(200, 0.5, one)[1].test.labels.index) != list(_cut(200, 0.5, other)[1].test.labels.index)


def test_the_identifier_does_not_pass(cohort: pd.DataFrame) -> None:
    parts = split(cohort, test_size=0.3, seed=0)
    assert IDENTIFIER not in parts.train.features
    assert IDENTIFIER not in parts.test.features


def test_a_table_of_one_class_is_refused(cohort: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="Diabetic: all 140 rows of the training set have the value 0"):
        split(cohort.assign(Diabetic=0), test_size=0.3, seed=0)


def test_a_test_set_of_one_class_is_refused(cohort: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="all 1 rows of the test set"):
        split(cohort.head(20), test_size=0.01, seed=0)


def test_a_single_row_cannot_be_split(cohort: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"1 rows are too few for a test share of 0\.3"):
        split(cohort.head(1), test_size=0.3, seed=0)
