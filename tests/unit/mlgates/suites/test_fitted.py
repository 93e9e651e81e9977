from dataclasses import dataclass, field

import numpy as np
import pytest

from mlgates.suites.fitted import difference, facts_of


@dataclass
class Scaler:
    mean_: list[float]
    words: set[str] = field(default_factory=set)


@dataclass
class Fitted:
    scaler: Scaler
    coefficients: np.ndarray[tuple[int], np.dtype[np.float64]]


def model(mean: float = 1.0, coefficient: float = 0.5, *words: str) -> Fitted:
    return Fitted(Scaler([mean], set(words)), np.array([coefficient, np.nan]))


def test_two_models_of_the_same_state_are_the_same() -> None:
    assert difference(facts_of(model()), facts_of(model())) == ""


@pytest.mark.parametrize(
    ("other", "path"),
    [
        (model(mean=2.0), "model.scaler.mean_[0]"),
        (model(coefficient=0.6), "model.coefficients"),
        (model(1.0, 0.5, "new"), "model.scaler.words[0]"),
    ],
)
def test_the_first_difference_is_named(other: Fitted, path: str) -> None:
    assert difference(facts_of(model()), facts_of(other)) == path


def test_bytes_between_the_fields_of_a_record_are_no_difference() -> None:
    padded = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 16})
    one, other = np.zeros(2, padded), np.zeros(2, padded)
    other.view("u1")[1] = 7
    assert difference(facts_of(one), facts_of(other)) == ""


def test_a_model_that_holds_itself_is_walked_once() -> None:
    ring: list[object] = [1]
    ring.append(ring)
    assert facts_of(ring) == {"model[0]": 1}
