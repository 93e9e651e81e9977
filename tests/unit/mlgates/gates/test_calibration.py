import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from mlgates.gates.checks.calibration import CalibrationConfig, bins_of, check, expected_error
from tests.unit.mlgates.gates.fakes import evidence

rows = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=80)
Rows = list[tuple[int, float]]


def arrays(drawn: Rows) -> tuple[np.ndarray, np.ndarray]:
    return np.array([label for label, _ in drawn]), np.array([chance for _, chance in drawn])


@given(rows, st.integers(2, 20))
def test_every_row_is_in_one_bin(drawn: Rows, count: int) -> None:
    labels, probabilities = arrays(drawn)
    found = bins_of(labels, probabilities, count)
    assert sum(each.rows for each in found) == len(labels)
    assert all(each.low - 1e-9 <= each.predicted <= each.high + 1e-9 for each in found)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0.001, 0.999)), min_size=1, max_size=80))
def test_the_bins_are_scikit_learns(drawn: Rows) -> None:
    labels, probabilities = arrays(drawn)
    inside = ~np.isin(probabilities, np.linspace(0, 1, 8))  # on an edge, scikit-learn takes the bin below
    assume(inside.any())
    found = bins_of(labels[inside], probabilities[inside], 7)
    observed, predicted = calibration_curve(labels[inside], probabilities[inside], n_bins=7)
    assert [each.observed for each in found] == pytest.approx(observed)
    assert [each.predicted for each in found] == pytest.approx(predicted)


@given(rows, st.integers(2, 20))
def test_the_error_is_from_0_to_1(drawn: Rows, count: int) -> None:
    assert 0 <= expected_error(bins_of(*arrays(drawn), count)) <= 1


@given(rows, st.integers(2, 20))
def test_the_error_is_not_under_that_of_all_rows_together(drawn: Rows, count: int) -> None:
    labels, probabilities = arrays(drawn)
    together = abs(probabilities.mean() - labels.mean())
    assert expected_error(bins_of(labels, probabilities, count)) >= together - 1e-9


@given(st.lists(st.integers(0, 1), min_size=1, max_size=50))
def test_who_knows_the_truth_makes_no_error(labels: list[int]) -> None:
    truth = np.array(labels)
    assert expected_error(bins_of(truth, truth.astype(float), 10)) == 0


@pytest.mark.parametrize(("share", "holds"), [(0.7, True), (0.76, False)])
def test_probabilities_that_are_off_by_more_than_the_limit_do_not_hold(share: float, holds: bool) -> None:
    labels = np.arange(100) < share * 100
    (result,) = check(CalibrationConfig(max_error=0.05), evidence(labels, np.full(100, 0.7)))
    assert result.holds == holds
