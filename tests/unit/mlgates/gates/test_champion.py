from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.gates import CheckResult
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.checks.champion import ChampionConfig, check
from tests.unit.mlgates.gates.fakes import evidence


def judged(rows: int, *, better: float, seed: int = 0, **declared: Any) -> CheckResult:
    """What is found of a candidate whose probabilities are nearer to the truth than the champion's by `better`."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, 2, rows)
    labels[:2] = 0, 1
    noise = chance.normal(0, 1, rows)
    ours, theirs = (1 / (1 + np.exp(-(noise + (labels - 0.5) * pull))) for pull in (1 + better, 1))
    (result,) = check(ChampionConfig(resamples=200, **declared), evidence(labels, ours, theirs=theirs))
    return result


@given(st.integers(0, 10**6), st.floats(-0.5, 0.5))
def test_the_interval_contains_the_gain(seed: int, better: float) -> None:
    result = judged(200, better=better, seed=seed)
    assert result.evidence["low"] <= result.figure <= result.evidence["high"]


@given(st.integers(0, 10**6))
def test_the_interval_shrinks_with_the_rows(seed: int) -> None:
    few, many = (judged(rows, better=0.3, seed=seed).evidence for rows in (100, 1000))
    assert many["high"] - many["low"] < few["high"] - few["low"]


@given(st.integers(0, 10**6))
def test_more_confidence_takes_a_wider_interval(seed: int) -> None:
    less, more = (judged(200, better=0.3, seed=seed, confidence=level).evidence for level in (0.8, 0.99))
    assert more["low"] <= less["low"] <= less["high"] <= more["high"]


@pytest.mark.parametrize("metric", ["accuracy", "auc", "brier", "precision", "recall"])
def test_the_champion_may_follow_itself(metric: str) -> None:
    assert judged(100, better=0.0, metric=metric).holds


@pytest.mark.parametrize("metric", ["auc", "brier"])
def test_a_clear_loss_does_not_hold(metric: str) -> None:
    assert not judged(1000, better=-0.8, metric=metric).holds


@pytest.mark.parametrize("metric", ["auc", "brier"])
def test_a_clear_gain_is_positive_whichever_way_the_metric_points(metric: str) -> None:
    assert (judged(1000, better=0.8, metric=metric).figure or 0) > 0


def test_a_difference_within_the_margin_does_not_hold_while_the_interval_reaches_beyond_it() -> None:
    found = judged(60, better=-0.3)
    between = -((found.figure or 0) + found.evidence["low"]) / 2
    assert not judged(60, better=-0.3, margin=between).holds
    assert judged(60, better=-0.3, margin=-found.evidence["low"]).holds


def test_without_a_champion_there_is_nothing_to_lose() -> None:
    (result,) = check(ChampionConfig(), evidence([0, 1], [0.1, 0.9]))
    assert result.holds
    assert "nothing serves yet" in result.reason


def test_the_same_seed_draws_the_same_rows() -> None:
    assert judged(100, better=0.1).evidence == judged(100, better=0.1).evidence


def test_a_class_of_few_rows_is_no_evidence() -> None:
    labels = [1] + [0] * 11
    with pytest.raises(CouldNotRun, match="there are 1 held-out rows of class 1, and at least 10 are needed"):
        list(check(ChampionConfig(), evidence(labels, labels, theirs=labels)))


def test_a_score_that_many_draws_leave_undefined_is_no_evidence() -> None:
    labels = [1] + [0] * 11
    config = ChampionConfig(min_rows=1, resamples=200)
    with pytest.raises(CouldNotRun, match=r"auc is not defined in \d+ of 200 draws: too few rows of a class"):
        list(check(config, evidence(labels, labels, theirs=labels)))


@pytest.mark.parametrize("metric", ["matthews_corrcoef", "neg_log_loss", "f1"])
def test_any_scorer_of_scikit_learn_compares(metric: str) -> None:
    assert judged(100, better=0.0, metric=metric).holds
    assert not judged(300, better=-0.9, metric=metric).holds
