"""Pictures that stand in a cell of a table: a figure against its limit, a share, a span of time, a sparkline."""

import math
from collections.abc import Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element

from mlgates.core.gates import CheckResult, Verdict
from mlgates.reports.html.svg import NOTHING, Drawn, Scale, add, drawn, line, picture, polyline
from mlgates.reports.wording import figure

WIDTH, HEIGHT = 120, 16
_THINNEST = 0.8
_ROOM = 1.2
"""The axis goes this much beyond what it shows, so that a limit is never at its very end."""
_CLASSES = {Verdict.PASSED: "good", Verdict.WARNED: "warn", Verdict.FAILED: "bad", Verdict.COULD_NOT_RUN: "bad"}


def bullet(result: CheckResult) -> Drawn:
    """Draw a check's figure as a bar, the range that its limit allows as a ground.

    Nothing without figure or limit, and nothing when all are 0: there is no axis to draw.
    """
    limits = [limit for limit in (result.least, result.most) if limit is not None and math.isfinite(limit)]
    if result.figure is None or result.interval is None or not math.isfinite(result.figure) or not limits:
        return NOTHING
    low_end, high_end = (end if math.isfinite(end) else result.figure for end in result.interval)
    scale = _scale([result.figure, low_end, high_end, *limits])
    if scale.low == scale.high:
        return NOTHING
    svg = picture(
        WIDTH,
        HEIGHT,
        f"{result.name}: {figure(result.figure, result.unit)}",
        f"The limit is {result.limit}; the check {'holds' if result.verdict.holds else 'does not hold'}.",
        stretched=True,
    )
    add(svg, "rect", x=0, y=0, width=WIDTH, height=HEIGHT, class_="track")
    low, high = (
        scale(limit) if limit is not None else end for limit, end in ((result.least, 0.0), (result.most, WIDTH))
    )
    add(svg, "rect", x=low, y=0, width=max(0.0, high - low), height=HEIGHT, class_="allowed")
    _bar(svg, scale(0.0), scale(result.figure), _CLASSES[result.verdict])
    if low_end < high_end:
        line(svg, (scale(low_end), HEIGHT / 2), (scale(high_end), HEIGHT / 2), "whisker")
    for limit in limits:
        line(svg, (scale(limit), 0), (scale(limit), HEIGHT), "limit")
    return drawn(svg)


def share(value: float, most: float, title: str, *, spread: float = 0.0) -> Drawn:
    """Draw `value` as a bar of an axis that ends at `most`, with a whisker of `spread` to both sides."""
    scale = Scale(min(0.0, value - spread), max(most, value + spread), 0, WIDTH)
    shown = figure(value) + (f", give or take {figure(spread)}" if spread else "")
    svg = picture(WIDTH, HEIGHT, title, shown, stretched=True)
    _bar(svg, scale(0.0), scale(value), "candidate")
    if spread:
        line(svg, (scale(value - spread), HEIGHT / 2), (scale(value + spread), HEIGHT / 2), "whisker")
    return drawn(svg)


def span(start: float, length: float, whole: float, title: str, class_: str) -> Drawn:
    """Draw a stretch of time, all in seconds, of a `whole` that begins at 0."""
    scale = Scale(0.0, max(whole, start + length), 0, WIDTH)
    svg = picture(WIDTH, HEIGHT, title, f"From second {start:.0f} to second {start + length:.0f}.", stretched=True)
    add(svg, "rect", x=0, y=0, width=WIDTH, height=HEIGHT, class_="track")
    # However short, it happened: at least one unit wide, and within the picture.
    wide = max(1.0, scale(start + length) - scale(start))
    left = min(scale(start), WIDTH - wide)
    add(svg, "rect", x=left, y=3, width=wide, height=HEIGHT - 6, class_=f"bar {class_}")
    return drawn(svg)


def sparkline(values: Sequence[float], title: str) -> Drawn:
    """Draw `values`, oldest first, as a line with its last point marked; one value is a point."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return NOTHING
    svg = picture(WIDTH, 2 * HEIGHT, title, " to ".join(figure(value) for value in finite))
    height = Scale(min(finite), max(finite), 2 * HEIGHT - 5, 5)
    along = Scale(0, max(1, len(finite) - 1), 5, WIDTH - 5)
    points = [(along(place), height(value)) for place, value in enumerate(finite)]
    for start, end in pairwise(points):
        polyline(svg, [start, end], "curve candidate")
    for x, y in points[:-1]:
        add(svg, "circle", cx=x, cy=y, r=1.8, class_="dot quiet")
    add(svg, "circle", cx=points[-1][0], cy=points[-1][1], r=3.2, class_="dot candidate")
    return drawn(svg)


def _scale(values: Sequence[float]) -> Scale:
    low, high = min(0.0, *values), max(0.0, *values)
    return Scale(_ROOM * low, _ROOM * high, 0, WIDTH)


def _bar(svg: Element, start: float, end: float, class_: str) -> None:
    left, right = sorted((start, end))
    # A figure of nothing is still seen, and within the picture.
    wide = max(_THINNEST, right - left)
    add(svg, "rect", x=min(left, WIDTH - wide), y=4, width=wide, height=HEIGHT - 8, class_=f"bar {class_}")
