"""The prod gate that the project declares stops what must not serve, and lets pass what may.

Each bad candidate must be stopped by the check that is there for it: a verdict of failed, not one that could not run.
MLGATES_RETRAININGS says how many retrainings of the good ones are judged, by default 3 of each.
"""

import os
import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from diabetes.training import Settings
from diabetes_dataset import stand_in
from mlgates.core.gates import Verdict
from mlgates.evaluation.model import Model
from tests.contract.mlgates.bad_candidates import Bakery
from tests.contract.mlgates.gate_candidates import Candidate, lines, trained, verdicts

# mlflow.pyfunc warns about type hints of its own while it is imported
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning"),
]
RETRAININGS = int(os.environ.get("MLGATES_RETRAININGS", "3"))


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """The data set that DIABETES_REFERENCE_DATA names, else the stand-in."""
    named = os.environ.get("DIABETES_REFERENCE_DATA")
    return pd.read_csv(named or BytesIO(stand_in.content()))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("candidates")


@pytest.fixture(scope="module")
def champion(data: pd.DataFrame, place: Path) -> Candidate:
    """Iteration 1 of the story, which serves."""
    return trained(data, place / "logistic", Settings(estimator="logistic"))


@pytest.fixture(scope="module")
def good(data: pd.DataFrame, place: Path) -> Candidate:
    """Iteration 2, which passes."""
    return trained(data, place / "scaled-logistic", Settings(estimator="scaled-logistic"))


@pytest.fixture(scope="module")
def bakery(data: pd.DataFrame, good: Candidate, place: Path) -> Bakery:
    return Bakery(data, good, place)


@pytest.mark.parametrize(
    ("bad", "stopping"),
    [
        ("constant_prediction", "metrics"),
        ("inverted_labels", "metrics"),
        ("inverted_data", "drift"),
        ("identifier", "explanation"),
        ("worse_on_one_age_band", "fairness"),
        ("uncalibrated", "calibration"),
        ("slow", "latency"),
        ("renamed_column", "signature"),
        ("too_large", "size"),
        ("drifted_data", "drift"),
        ("not_reproducible", "reproducibility"),
    ],
)
def test_a_bad_candidate_is_stopped_by_the_check_that_is_there_for_it(
    bad: str, stopping: str, bakery: Bakery, champion: Candidate, place: Path
) -> None:
    results = verdicts(getattr(bakery, bad)(), champion, place / "cache")
    assert Verdict.FAILED in {result.verdict for result in results if result.kind == stopping}


def test_what_the_bad_candidates_could_have_been_passes(good: Candidate, champion: Candidate, place: Path) -> None:
    assert list(lines(verdicts(good, champion, place / "cache"))) == []


def test_the_first_release_passes_without_a_champion(champion: Candidate, place: Path) -> None:
    assert list(lines(verdicts(champion, None, place / "cache"))) == []


def test_a_champion_that_cannot_be_loaded_fails_the_gate_and_says_what_to_do(
    good: Candidate, champion: Candidate, place: Path
) -> None:
    (place / "broken").mkdir()
    shutil.copy(champion.model.folder / "MLmodel", place / "broken")
    broken = replace(champion, model=Model("classifier:1", place / "broken", sha256="broken", tags={}))
    (result,) = (each for each in verdicts(good, broken, place / "cache") if not each.verdict.holds)
    assert (result.name, result.verdict) == ("champion", Verdict.COULD_NOT_RUN)
    assert result.reason.startswith("classifier:1 cannot be loaded: ")
    assert result.remedy == "train and register it again, with the versions of the project's lock"


@pytest.mark.parametrize("estimator", ["logistic", "random-forest"])
def test_retrainings_with_other_seeds_pass(
    estimator: str, data: pd.DataFrame, champion: Candidate, place: Path
) -> None:
    stopped = {}
    for seed in range(1, RETRAININGS + 1):
        again = trained(data, place / f"{estimator}-{seed}", Settings(estimator=estimator, seed=seed))
        if broken := list(lines(verdicts(again, champion, place / "cache"))):
            stopped[seed] = broken
    assert stopped == {}
