"""Parameters are of the declared type or refused by name, whatever MLflow would make of them."""

from typing import Any

import pytest

from amlocal.serving.params import Param, read_params
from amlocal.serving.refusal import Refusal

PARAMS = [
    Param("times", "long"),
    Param("stops", "string", listed=True),
    Param("seed", "long", optional=True),
    Param("more", "object"),
]


@pytest.mark.parametrize(
    "sent", [{}, {"times": 2}, {"times": 2.0, "stops": ["."]}, {"stops": []}, {"seed": None}, {"seed": 1}, {"more": {}}]
)
def test_parameters_are_handed_on_as_they_were_sent(sent: dict[str, Any]) -> None:
    assert read_params(sent, PARAMS) == sent


def test_null_is_no_parameters() -> None:
    assert read_params(None, PARAMS) == {}


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ([1], "'params' must be an object"),
        ({"time": 1}, "'time' is not one of the model's: more, seed, stops, times"),
        ({"times": None}, "'times': null is not a whole number"),
        ({"times": 10**400}, "'times': 1000"),
        ({"times": 2.5}, "'times': 2.5 is not a whole number of 64 bits"),
        ({"times": [1]}, "'times'"),
        ({"stops": "."}, r"'stops': '\.' is not a list"),
        ({"stops": [".", None]}, "'stops': null is not a text"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(sent: Any, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        read_params(sent, PARAMS)
