"""The comparison itself: a test that cannot fail proves nothing."""

import pytest

from tests.contract.amlocal.recorded.vocabulary import (
    ARM,
    BOOL,
    DATE,
    INT,
    SPAN,
    STR,
    TEXTS,
    URI,
    Each,
    Maybe,
    Shape,
    Template,
    places,
)

SHAPES: list[tuple[Shape, object, object]] = [
    (STR, "x", None),
    (BOOL, False, 0),
    (INT, 0, False),
    (DATE, "2026-01-02T03:04:05.6+00:00", "2026-01-02T03:04:05+01:00"),
    (DATE, "2026-01-02T03:04:05Z", "2026-01-02"),
    (SPAN, "00:00:01.0000000", "1.5"),
    (URI, "https://x", "x"),
    (ARM, "/subscriptions/s/resourceGroups/g/providers/P/x", "/subscriptions/s/resourcegroups/g/providers/P/x"),
    (None, None, ""),
    (False, False, 0),
    ("", "", None),
    (100.0, 100.0, 100),
    (Template("a.{x}.c"), "a.b.c", "a.b.d"),
    (Template("a{x}"), "ab", "a"),
    (Maybe(INT), None, "1"),
    (Each(INT), {"a": 1}, {"a": "1"}),
    (TEXTS, {}, []),
    ({"a": STR}, {"a": "x"}, {"a": 1}),
    ({"a": STR}, {"a": "x"}, {}),
    ({"a": STR}, {"a": "x"}, {"a": "x", "b": "x"}),
    ({}, {}, {"a": 1}),
    ([INT], [], [1, "2"]),
    ([INT], [1], {}),
    ((INT, STR), [1, "x"], [1]),
    ((), [], [1]),
]


@pytest.mark.parametrize(("shape", "good", "bad"), SHAPES)
def test_a_shape_takes_what_it_says_and_nothing_else(shape: Shape, good: object, bad: object) -> None:
    assert places(shape, good) == set()
    assert places(shape, bad)


def test_a_difference_is_found_where_it_is() -> None:
    shape = {"a": [{"b": INT}], "c": Each(STR)}
    value = {"a": [{"b": 1}, {"b": "x"}, {}], "c": {"k": 1}, "d": 1}
    assert places(shape, value) == {".a[1].b", ".a[2].b", ".c.k", ".d"}
