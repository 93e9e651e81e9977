import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from diabetes import estimators, patients
from diabetes.errors import SettingsError
from diabetes.schema import FEATURES, LABEL
from tests.unit.diabetes.frames import QUICK, valid_tables

# A valid table need not hold anything to learn, and liblinear says so.
pytestmark = pytest.mark.filterwarnings("ignore:Liblinear failed to converge:sklearn.exceptions.ConvergenceWarning")

names = st.sampled_from(estimators.NAMES)


def fitted(name: str, table: pd.DataFrame) -> Pipeline:
    model = estimators.build(name, seed=0)
    if name == "random-forest":
        model.set_params(classifier__n_estimators=3)  # three trees make the same mistakes as a hundred, sooner
    return model.fit(table[list(FEATURES)], table[LABEL])


def probabilities(model: Pipeline, table: pd.DataFrame) -> npt.NDArray[np.float64]:
    chances: npt.NDArray[np.float64] = model.predict_proba(table)[:, 1]
    return chances


def test_the_three_estimators_have_these_names() -> None:
    assert estimators.NAMES == ("logistic", "scaled-logistic", "random-forest")


@pytest.mark.parametrize("name", ["logistic", "scaled-logistic"])
def test_a_regression_has_the_published_settings(name: str) -> None:
    classifier = estimators.build(name, seed=0)["classifier"]
    assert (classifier.C, classifier.solver) == (100, "liblinear")


def test_a_forest_has_a_hundred_trees() -> None:
    assert estimators.build("random-forest", seed=0)["classifier"].n_estimators == 100


@pytest.mark.parametrize("name", estimators.NAMES)
def test_the_seed_reaches_the_classifier(name: str) -> None:
    assert estimators.build(name, seed=42)["classifier"].random_state == 42


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"unknown estimator 'random_forrest'. Did you mean 'random-forest'\?"):
        estimators.build("random_forrest", seed=0)


def test_a_name_like_no_other_gets_the_list() -> None:
    with pytest.raises(SettingsError, match=r"unknown estimator 'xgboost'. Known: logistic, scaled-log"):
        estimators.build("xgboost", seed=0)


@QUICK
@given(names, valid_tables())
def test_any_valid_table_trains_and_gives_classes(name: str, table: pd.DataFrame) -> None:
    clean = patients.check(table)
    assert set(fitted(name, clean).predict(clean)) <= {0, 1}


@QUICK
@given(names, valid_tables(), valid_tables(min_rows=2, max_rows=5))
def test_probabilities_are_between_0_and_1(name: str, table: pd.DataFrame, unseen: pd.DataFrame) -> None:
    chances = probabilities(fitted(name, patients.check(table)), patients.check(unseen))
    assert ((chances >= 0) & (chances <= 1)).all()


@QUICK
@given(names, valid_tables(), st.permutations(FEATURES))
def test_the_order_of_columns_changes_no_prediction(name: str, table: pd.DataFrame, order: list[str]) -> None:
    clean = patients.check(table)
    model = fitted(name, clean)
    np.testing.assert_array_equal(probabilities(model, clean[order]), probabilities(model, clean))


@QUICK
@given(names, valid_tables())
def test_extra_columns_change_no_prediction(name: str, table: pd.DataFrame) -> None:
    clean = patients.check(table)
    model = fitted(name, clean)
    np.testing.assert_array_equal(probabilities(model, table.assign(Ward="B")), probabilities(model, clean))


@QUICK
@given(names, valid_tables(min_rows=20, max_rows=20), st.permutations(range(20)))
def test_the_order_of_rows_changes_no_prediction(name: str, table: pd.DataFrame, order: list[int]) -> None:
    clean = patients.check(table)
    model = fitted(name, clean)
    np.testing.assert_allclose(probabilities(model, clean.iloc[order]), probabilities(model, clean)[order], rtol=1e-12)


@QUICK
@given(names, valid_tables())
def test_the_patients_identity_changes_no_model(name: str, table: pd.DataFrame) -> None:
    renamed = table.assign(PatientID=table["PatientID"].iloc[::-1].to_numpy())
    one, other = (fitted(name, patients.check(t)) for t in (table, renamed))
    clean = patients.check(table)
    np.testing.assert_array_equal(probabilities(one, clean), probabilities(other, clean))


@pytest.mark.parametrize("name", estimators.NUMERIC)
def test_scaled_logistic_does_not_mind_the_unit_of_a_number(cohort: pd.DataFrame, name: str) -> None:
    clean = patients.check(cohort)
    converted = clean.assign(**{name: clean[name] * 18.016})
    ours, theirs = (probabilities(fitted("scaled-logistic", t), t) for t in (clean, converted))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("name", ["scaled-logistic", "random-forest"])
def test_an_age_never_seen_is_no_error(cohort: pd.DataFrame, name: str) -> None:
    clean = patients.check(cohort.assign(Age=cohort["Age"] // 2 * 2))
    model = fitted(name, clean)
    assert len(model.predict(clean.assign(Age=51.0))) == len(clean)
