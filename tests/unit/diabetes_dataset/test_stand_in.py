import tomllib
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diabetes import patients
from diabetes.schema import COLUMNS, FEATURES, IDENTIFIER, LABEL
from diabetes_dataset import origin, stand_in

# Measured on the real data set: mean and standard deviation of each column.
REFERENCE = {
    "Pregnancies": (3.2245, 3.3910),
    "PlasmaGlucose": (107.8569, 31.9820),
    "DiastolicBloodPressure": (71.2207, 16.7587),
    "TricepsThickness": (28.8140, 14.5557),
    "SerumInsulin": (137.8521, 133.0683),
    "BMI": (31.5096, 9.7590),
    "DiabetesPedigree": (0.3990, 0.3779),
    "Age": (30.1377, 12.0897),
}

any_seed = settings(max_examples=10, deadline=None)
SEEDS = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return stand_in.generate(2)


def test_the_bytes_are_the_same_on_every_interpreter_and_platform() -> None:
    assert origin.digest(stand_in.content()) == "3226dbca598e5538d6e6fb0772b0d6a9dfb19e03cb039223698143dd27b9e2ee"


def test_the_content_is_the_generated_table(table: pd.DataFrame) -> None:
    assert table.to_csv(index=False, lineterminator="\n").encode() == stand_in.content()


@any_seed
@given(SEEDS)
def test_a_table_keeps_the_schema_whatever_the_seed(seed: int) -> None:
    made = stand_in.generate(seed)
    assert {name: str(kind) for name, kind in made.dtypes.items()} == {c.name: c.dtype for c in COLUMNS}
    assert len(patients.check(made)) == 15_000


def marginals(table: pd.DataFrame) -> np.ndarray:
    return np.array([(table[name].mean(), table[name].std()) for name in FEATURES])


def test_marginals_are_within_2_percent(table: pd.DataFrame) -> None:
    np.testing.assert_allclose(marginals(table), [REFERENCE[name] for name in FEATURES], rtol=0.02)


@any_seed
@given(SEEDS)
@example(1318)  # the deviation of insulin is 5.1 % off: its few highest values decide it
def test_marginals_are_within_10_percent_whatever_the_seed(seed: int) -> None:
    # Of 250 seeds the farthest off was 5.7 %, in the deviation of insulin; all others stay within 3.5 %.
    np.testing.assert_allclose(marginals(stand_in.generate(seed)), [REFERENCE[name] for name in FEATURES], rtol=0.1)


@any_seed
@given(SEEDS)
def test_a_third_is_diabetic_and_105_patients_repeat_whatever_the_seed(seed: int) -> None:
    made = stand_in.generate(seed)
    assert made[LABEL].sum() == 5_000
    assert made[IDENTIFIER].duplicated().sum() == 105
    assert made[IDENTIFIER].between(1_000_000, 1_999_999).all()


@any_seed
@given(SEEDS)
def test_patients_come_in_no_order_of_label_or_identifier(seed: int) -> None:
    made = stand_in.generate(seed)
    rows = pd.Series(range(len(made)))
    assert abs(rows.corr(made[LABEL])) < 0.05
    assert abs(rows.corr(made[IDENTIFIER])) < 0.05


def test_another_seed_gives_other_patients(table: pd.DataFrame) -> None:
    assert not stand_in.generate(3).equals(table)


@pytest.mark.parametrize("name", FEATURES)
def test_bands_rise_do_not_overlap_and_count_each_class_to_a_thousand(name: str) -> None:
    text = resources.files("diabetes_dataset").joinpath("stand_in.toml").read_text(encoding="utf-8")
    low, below, healthy, diabetic = zip(*tomllib.loads(text)[name]["bands"], strict=True)
    assert all(start < end for start, end in zip(low, below, strict=True))
    assert all(end <= start for end, start in zip(below, low[1:], strict=False))
    assert (sum(healthy), sum(diabetic)) == (1000, 1000)
