"""What a client sent is of the kind that the schema says, durations too, or it is refused."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.decoding import Sent, count, flag, mapping, seconds, text, texts
from amlocal.core.errors import BadRequest

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
Reader = Callable[[Sent, str], Any]


def number(sent: Sent, key: str) -> int:
    return count(sent, key, default=3)


@pytest.mark.parametrize(
    ("read", "kind", "absent"),
    [(text, str | None, None), (flag, bool, False), (mapping, dict, {}), (texts, dict, {}), (number, int, 3)],
)
@given(value=JSON)
def test_a_field_is_of_its_kind_or_refused(read: Reader, kind: Any, absent: object, value: object) -> None:
    try:
        assert isinstance(read({"key": value}, "key"), kind)
    except BadRequest as error:
        assert "'key'" in error.message  # noqa: PT017 - either is right, by the value
    assert read({}, "key") == read({"key": None}, "key") == absent


@given(st.text(min_size=1))
def test_a_text_is_kept(value: str) -> None:
    assert text({"key": value}, "key") == value


def test_an_empty_text_is_none() -> None:
    assert text({"key": ""}, "key") is None


@given(st.dictionaries(st.text(), PLAIN))
def test_texts_hold_every_value_but_null_as_text(tags: dict[str, object]) -> None:
    assert texts({"key": tags}, "key") == {name: str(value) for name, value in tags.items() if value is not None}


@pytest.mark.parametrize("value", [True, 1.0, "1", -1])
def test_a_count_is_a_whole_number_from_zero(value: object) -> None:
    with pytest.raises(BadRequest, match="whole number"):
        count({"key": value}, "key", default=0)


@pytest.mark.parametrize(
    ("value", "kind"), [(1, "a number"), (1.5, "a number"), (True, "a boolean"), ([], "a list"), ({}, "an object")]
)
def test_a_refusal_names_what_came_instead(value: object, kind: str) -> None:
    with pytest.raises(BadRequest, match=f"must be a text, not {kind}"):
        text({"key": value}, "key")


def test_a_tag_that_is_no_plain_value_is_refused() -> None:
    with pytest.raises(BadRequest, match="'t' in 'tags' must be a text, not a list"):
        texts({"tags": {"t": ["a"]}}, "tags")


def test_a_resource_has_a_thousand_tags_at_most() -> None:
    assert len(texts({"tags": {str(number): "x" for number in range(1000)}}, "tags")) == 1000
    with pytest.raises(BadRequest, match="1001 entries; 1000 are the most"):
        texts({"tags": {str(number): "x" for number in range(1001)}}, "tags")


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
