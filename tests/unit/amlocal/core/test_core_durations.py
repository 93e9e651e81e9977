import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.durations import seconds
from amlocal.core.errors import BadRequest

PARTS = st.integers(0, 999_999_999)


@given(PARTS, PARTS, PARTS, PARTS)
def test_all_units_add_up(days: int, hours: int, minutes: int, rest: int) -> None:
    text = f"P{days}DT{hours}H{minutes}M{rest}S"
    assert seconds(text) == pytest.approx(days * 86400 + hours * 3600 + minutes * 60 + rest)


@pytest.mark.parametrize(
    ("text", "value"),
    [("PT1H", 3600), ("PT0.5S", 0.5), ("P1D", 86400), ("P1DT0.5S", 86400.5), ("PT90M", 5400), ("PT0S", 0)],
)
def test_units_may_be_left_out(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "1H",
        "PT1",
        "PTS",
        "PT-1S",
        "PT1H30",
        "P1Y",
        "PT1,5S",
        "PT1H ",
        "PT\u0661S",
        "PT1e3S",
        None,
        5,
    ],
)
def test_anything_else_is_refused(sent: object) -> None:
    with pytest.raises(BadRequest, match="ISO 8601"):
        seconds(sent)


@given(st.text(max_size=12))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with contextlib.suppress(BadRequest):
        assert seconds(text) >= 0


def test_more_digits_than_any_clock_takes_are_refused() -> None:
    with pytest.raises(BadRequest):
        seconds(f"P{'9' * 400}D")
