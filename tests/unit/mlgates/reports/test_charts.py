from dataclasses import replace
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.gates import CheckResult
from mlgates.reports.html.charts import NOTHING, ROC, Scale, bullet, chart, distributions, share, span, sparkline
from tests.unit.mlgates.reports.examples import ceiling, floor
from tests.unit.mlgates.reports.strategies import HOSTILE, results

numbers = st.floats(-1e6, 1e6)
shares = st.lists(st.floats(0, 1), min_size=1, max_size=12)
curves = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


def places(svg: Element) -> list[tuple[float, float]]:
    """Every corner of every shape of a picture."""
    found = []
    for shape in svg.iter():
        at = {name: float(value) for name, value in shape.attrib.items() if name in NUMERIC}
        match shape.tag:
            case "rect":
                found += [(at["x"], at["y"]), (at["x"] + at["width"], at["y"] + at["height"])]
            case "line":
                found += [(at["x1"], at["y1"]), (at["x2"], at["y2"])]
            case "circle":
                found += [(at["cx"] - at["r"], at["cy"] - at["r"]), (at["cx"] + at["r"], at["cy"] + at["r"])]
            case "polyline":
                found += points(shape)
    return found


NUMERIC = frozenset({"x", "y", "width", "height", "x1", "x2", "y1", "y2", "cx", "cy", "r"})


def points(shape: Element) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in shape.attrib["points"].split())
    return [(float(x), float(y)) for x, y in pairs]


def assert_inside(picture: str) -> None:
    svg = fromstring(picture)
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    for x, y in places(svg):
        assert -0.01 <= x <= width + 0.01
        assert -0.01 <= y <= height + 0.01


@given(results)
def test_a_bullet_stays_inside_its_picture(result: CheckResult) -> None:
    drawn = bullet(result)
    if drawn != NOTHING:
        assert_inside(drawn)


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_a_bar_at_either_end_of_its_axis_stays_inside_its_picture(value: float) -> None:
    assert_inside(bullet(floor("x", value, -1.0)))
    assert_inside(bullet(ceiling("x", value, 1.0)))


@given(numbers, numbers, st.floats(0, 1e3))
def test_a_share_stays_inside_its_picture(value: float, most: float, spread: float) -> None:
    assert_inside(share(value, most, "share", spread=spread))


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1e5))
def test_a_span_of_time_stays_inside_its_picture(start: float, length: float, whole: float) -> None:
    assert_inside(span(start, length, whole, "train", "passed"))


@given(st.lists(numbers, max_size=12))
def test_a_sparkline_stays_inside_its_picture(values: list[float]) -> None:
    drawn = sparkline(values, "auc")
    assert (drawn == NOTHING) == (not values)
    if values:
        assert_inside(drawn)


@given(curves, curves)
def test_a_chart_stays_inside_its_picture(ours: list[tuple[float, float]], theirs: list[tuple[float, float]]) -> None:
    assert_inside(chart(ROC, {"candidate": ours, "champion": theirs}, dots=True))


@given(curves)
def test_a_curve_that_rises_is_drawn_rising(drawn: list[tuple[float, float]]) -> None:
    rising = list(zip(sorted(x for x, _ in drawn), sorted(y for _, y in drawn), strict=True))
    (shape,) = fromstring(chart(ROC, {"candidate": rising})).iter("polyline")
    for (x, y), (next_x, next_y) in pairwise(points(shape)):
        assert next_x >= x
        assert next_y <= y  # upwards is down in SVG


@given(shares, shares)
def test_distributions_stay_inside_their_picture(ours: list[float], theirs: list[float]) -> None:
    bins = min(len(ours), len(theirs))
    assert_inside(distributions("Age", ours[:bins], theirs[:bins]))


def edges(result: CheckResult) -> tuple[float, float]:
    """Where the bar of a bullet ends, and where its limit is."""
    svg = fromstring(bullet(result))
    (bar,) = [shape for shape in svg.iter("rect") if shape.attrib["class"].startswith("bar")]
    (limit,) = svg.iter("line")
    return float(bar.attrib["x"]) + float(bar.attrib["width"]), float(limit.attrib["x1"])


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_bar_reaches_its_limit_just_when_the_figure_does(value: float, limit: float) -> None:
    for result in (floor("x", value, limit), ceiling("x", value, limit)):
        end, at = edges(result)
        # Places are written with two digits, and no bar is thinner than 0.8.
        assert end >= at - 0.02 if value >= limit else end <= at + 0.82


def test_the_allowed_range_lies_on_the_side_of_the_limit_that_holds() -> None:
    (low,) = [r for r in fromstring(bullet(floor("x", 0.9, 0.5))).iter("rect") if r.attrib["class"] == "allowed"]
    (high,) = [r for r in fromstring(bullet(ceiling("x", 0.9, 0.5))).iter("rect") if r.attrib["class"] == "allowed"]
    assert float(low.attrib["x"]) > 0
    assert float(high.attrib["x"]) == 0


@pytest.mark.parametrize("figure", [None, float("nan"), float("inf")])
def test_without_a_figure_there_is_no_bullet(figure: float | None) -> None:
    assert bullet(replace(floor("x", 1.0, 0.5), figure=figure)) == NOTHING


def test_nothing_found_and_nothing_allowed_is_no_picture() -> None:
    assert bullet(ceiling("data", 0.0, 0.0)) == NOTHING


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_a_picture(name: str) -> None:
    drawn = bullet(replace(floor("x", 1.0, 0.5), name=name, limit=name))
    assert {element.tag for element in fromstring(drawn).iter()} == {"svg", "title", "desc", "rect", "line"}


def test_a_picture_says_its_figures_to_those_who_do_not_see_it() -> None:
    title, description = list(fromstring(bullet(ceiling("size", 12.3, 100.0, unit="MB"))))[:2]
    assert (title.text, description.text) == ("size: 12.3 MB", "The limit is at most 100; the check holds.")


def test_a_scale_without_extent_is_at_its_start() -> None:
    assert Scale(1, 1, 5, 10)(1) == 5
