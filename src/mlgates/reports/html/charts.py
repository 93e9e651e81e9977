"""The pictures of a report, built as XML elements, so that no name or figure can become markup."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, tostring

from mlgates.core.gates import CheckResult, Verdict
from mlgates.reports.wording import clean, figure

CELL_WIDTH, CELL_HEIGHT = 120, 16
_THINNEST = 0.8
_ROOM = 1.2
"""The axis goes this much beyond what it shows, so that a limit is never at its very end."""
_CLASSES = {Verdict.PASSED: "good", Verdict.WARNED: "warn", Verdict.FAILED: "bad", Verdict.COULD_NOT_RUN: "bad"}
CHART_WIDTH, CHART_HEIGHT = 320, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 310, 10, 246
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
ROLES = ("champion", "candidate")
"""The order of drawing: the candidate lies on top."""
Points = Sequence[Sequence[float]]


class Drawn(str):
    """Markup that was built and escaped here; a template takes it unescaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


NOTHING = Drawn()
"""No picture: there is nothing to draw."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps the values from `low` to `high` to places from `start` to `end`; what lies outside goes to the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of `value`; everything is at the start when low and high are the same."""
        if self.high == self.low or math.isnan(value):
            return self.start
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def picture(width: int, height: int, title: str, description: str, *, stretched: bool = False) -> Element:
    """Return an empty picture with its name and what it shows, for those who do not see it.

    A `stretched` picture takes the shape of the place that it is put in: right for bars, wrong for text.
    """
    svg = Element("svg", {"viewBox": f"0 0 {width} {height}", "role": "img"})
    if stretched:
        svg.set("preserveAspectRatio", "none")
    add(svg, "title", clean(title))
    add(svg, "desc", clean(description))
    return svg


def add(parent: Element, tag: str, text: str | None = None, **attributes: str | float) -> Element:
    """Add an element; `class_` is its class, and `_` in other names becomes `-`."""
    named = {name.rstrip("_").replace("_", "-"): _written(value) for name, value in attributes.items()}
    element = SubElement(parent, tag, named)
    element.text = None if text is None else clean(text)
    return element


def line(parent: Element, start: tuple[float, float], end: tuple[float, float], class_: str) -> None:
    """Add a straight line."""
    (x1, y1), (x2, y2) = start, end
    add(parent, "line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def polyline(parent: Element, points: Iterable[tuple[float, float]], class_: str) -> None:
    """Add a line through `points`."""
    add(parent, "polyline", points=" ".join(f"{_written(x)},{_written(y)}" for x, y in points), class_=class_)


def drawn(svg: Element) -> Drawn:
    """Return a picture as markup for a page."""
    return Drawn(tostring(svg, encoding="unicode"))


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
        CELL_WIDTH,
        CELL_HEIGHT,
        f"{result.name}: {figure(result.figure, result.unit)}",
        f"The limit is {result.limit}; the check {'holds' if result.verdict.holds else 'does not hold'}.",
        stretched=True,
    )
    add(svg, "rect", x=0, y=0, width=CELL_WIDTH, height=CELL_HEIGHT, class_="track")
    low, high = (
        scale(limit) if limit is not None else end for limit, end in ((result.least, 0.0), (result.most, CELL_WIDTH))
    )
    add(svg, "rect", x=low, y=0, width=max(0.0, high - low), height=CELL_HEIGHT, class_="allowed")
    _bar(svg, scale(0.0), scale(result.figure), _CLASSES[result.verdict])
    if low_end < high_end:
        line(svg, (scale(low_end), CELL_HEIGHT / 2), (scale(high_end), CELL_HEIGHT / 2), "whisker")
    for limit in limits:
        line(svg, (scale(limit), 0), (scale(limit), CELL_HEIGHT), "limit")
    return drawn(svg)


def share(value: float, most: float, title: str, *, spread: float = 0.0) -> Drawn:
    """Draw `value` as a bar of an axis that ends at `most`, with a whisker of `spread` to both sides."""
    scale = Scale(min(0.0, value - spread), max(most, value + spread), 0, CELL_WIDTH)
    shown = figure(value) + (f", give or take {figure(spread)}" if spread else "")
    svg = picture(CELL_WIDTH, CELL_HEIGHT, title, shown, stretched=True)
    _bar(svg, scale(0.0), scale(value), "candidate")
    if spread:
        line(svg, (scale(value - spread), CELL_HEIGHT / 2), (scale(value + spread), CELL_HEIGHT / 2), "whisker")
    return drawn(svg)


def span(start: float, length: float, whole: float, title: str, class_: str) -> Drawn:
    """Draw a stretch of time, all in seconds, of a `whole` that begins at 0."""
    scale = Scale(0.0, max(whole, start + length), 0, CELL_WIDTH)
    svg = picture(
        CELL_WIDTH, CELL_HEIGHT, title, f"From second {start:.0f} to second {start + length:.0f}.", stretched=True
    )
    add(svg, "rect", x=0, y=0, width=CELL_WIDTH, height=CELL_HEIGHT, class_="track")
    # However short, it happened: at least one unit wide, and within the picture.
    wide = max(1.0, scale(start + length) - scale(start))
    left = min(scale(start), CELL_WIDTH - wide)
    add(svg, "rect", x=left, y=3, width=wide, height=CELL_HEIGHT - 6, class_=f"bar {class_}")
    return drawn(svg)


def sparkline(values: Sequence[float], title: str) -> Drawn:
    """Draw `values`, oldest first, as a line with its last point marked; one value is a point."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return NOTHING
    svg = picture(CELL_WIDTH, 2 * CELL_HEIGHT, title, " to ".join(figure(value) for value in finite))
    height = Scale(min(finite), max(finite), 2 * CELL_HEIGHT - 5, 5)
    along = Scale(0, max(1, len(finite) - 1), 5, CELL_WIDTH - 5)
    points = [(along(place), height(value)) for place, value in enumerate(finite)]
    for start, end in pairwise(points):
        polyline(svg, [start, end], "curve candidate")
    for x, y in points[:-1]:
        add(svg, "circle", cx=x, cy=y, r=1.8, class_="dot quiet")
    add(svg, "circle", cx=points[-1][0], cy=points[-1][1], r=3.2, class_="dot candidate")
    return drawn(svg)


_X, _Y = Scale(0, 1, _LEFT, _RIGHT), Scale(0, 1, _BOTTOM, _TOP)


@dataclass(frozen=True, slots=True)
class Axes:
    """What a chart shows: of shares, 0 to 1 both ways, or of quantities."""

    title: str
    across: str
    upwards: str
    diagonal: bool = False
    """Whether the line of equal values means something: chance, perfect calibration, a prediction that is right."""
    level: bool = False
    """Whether the line at 0 means something: a residual of none."""


ROC = Axes("ROC curve", "false positive rate", "true positive rate", diagonal=True)


PRECISION_RECALL = Axes("Precision and recall", "recall", "precision", diagonal=False)


CALIBRATION = Axes("Calibration", "probability given", "share that is positive", diagonal=True)
PREDICTED = Axes("Predictions", "label", "prediction", diagonal=True)
RESIDUALS = Axes("Residuals", "prediction", "label - prediction", level=True)


def chart(axes: Axes, series: Mapping[str, Points], *, dots: bool = False) -> Drawn:
    """Draw the points of each role in `series`; with `dots`, each point is marked."""
    described = "; ".join(f"{role}: {_in_words(points)}" for role, points in series.items() if points)
    svg = picture(CHART_WIDTH, CHART_HEIGHT, axes.title, f"{axes.upwards} against {axes.across}. {described}")
    _frame(svg, axes)
    for role in ROLES:
        places = [(_X(point[0]), _Y(point[1])) for point in series.get(role, ())]
        if not places:
            continue
        polyline(svg, places, f"curve {role}")
        if dots:
            for x, y in places:
                add(svg, "circle", cx=x, cy=y, r=2.6, class_=f"dot {role}")
    return drawn(svg)


def scatter(axes: Axes, series: Mapping[str, Points]) -> Drawn:
    """Draw a dot for each point of each role; the axes are those of what is drawn."""
    points = [point for role in ROLES for point in series.get(role, ())]
    across, upwards = (sorted(point[place] for point in points) for place in (0, 1))
    if axes.diagonal:
        across = upwards = sorted(across + upwards)
    if axes.level:
        upwards = [min(0.0, upwards[0]), max(0.0, upwards[-1])]
    x, y = Scale(across[0], across[-1], _LEFT, _RIGHT), Scale(upwards[0], upwards[-1], _BOTTOM, _TOP)
    described = "; ".join(f"{role}: {_in_words(points)}" for role, points in series.items() if points)
    svg = picture(CHART_WIDTH, CHART_HEIGHT, axes.title, f"{axes.upwards} against {axes.across}. {described}")
    _frame(svg, axes, x, y)
    for role in ROLES:
        for point in series.get(role, ()):
            add(svg, "circle", cx=x(point[0]), cy=y(point[1]), r=1.6, class_=f"dot {role}")
    return drawn(svg)


def distributions(title: str, champion: Sequence[float], candidate: Sequence[float]) -> Drawn:
    """Draw the shares of two data sets in the same bins, bar beside bar."""
    width, height = 220, 80
    described = ", ".join(f"{old:.0%} became {new:.0%}" for old, new in zip(champion, candidate, strict=True))
    svg = picture(width, height, title, f"Shares of the champion's and the candidate's rows by bin: {described}.")
    bins = max(1, len(champion))
    up = Scale(0, max([*champion, *candidate, 0.01]), height - 1, 4)
    wide = width / bins
    for number, pair in enumerate(zip(champion, candidate, strict=True)):
        for place, (role, value) in enumerate(zip(ROLES, pair, strict=True)):
            left = number * wide + wide * (0.1 + 0.4 * place)
            add(
                svg, "rect", x=left, y=up(value), width=0.38 * wide, height=height - 1 - up(value), class_=f"bar {role}"
            )
    line(svg, (0, height - 1), (width, height - 1), "axis-line")
    return drawn(svg)


def _written(value: str | float) -> str:
    return clean(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def _scale(values: Sequence[float]) -> Scale:
    low, high = min(0.0, *values), max(0.0, *values)
    return Scale(_ROOM * low, _ROOM * high, 0, CELL_WIDTH)


def _bar(svg: Element, start: float, end: float, class_: str) -> None:
    left, right = sorted((start, end))
    # A figure of nothing is still seen, and within the picture.
    wide = max(_THINNEST, right - left)
    add(svg, "rect", x=min(left, CELL_WIDTH - wide), y=4, width=wide, height=CELL_HEIGHT - 8, class_=f"bar {class_}")


def _frame(svg: Element, axes: Axes, x: Scale = _X, y: Scale = _Y) -> None:
    for tick in _TICKS:
        across, up = (scale.low + tick * (scale.high - scale.low) for scale in (x, y))
        line(svg, (x(across), _TOP), (x(across), _BOTTOM), "grid")
        line(svg, (_LEFT, y(up)), (_RIGHT, y(up)), "grid")
        add(svg, "text", f"{across:.3g}", x=x(across), y=_BOTTOM + 15, class_="tick", text_anchor="middle")
        add(svg, "text", f"{up:.3g}", x=_LEFT - 6, y=y(up) + 4, class_="tick", text_anchor="end")
    if axes.diagonal:
        line(svg, (x(x.low), y(x.low)), (x(x.high), y(x.high)), "diagonal")
    if axes.level:
        line(svg, (_LEFT, y(0.0)), (_RIGHT, y(0.0)), "diagonal")
    middle = (_LEFT + _RIGHT) / 2
    add(svg, "text", axes.across, x=middle, y=CHART_HEIGHT - 10, class_="axis", text_anchor="middle")
    up = (_TOP + _BOTTOM) / 2
    turned = f"rotate(-90 11 {up:g})"
    add(svg, "text", axes.upwards, x=11, y=up, class_="axis", text_anchor="middle", transform=turned)


def _in_words(points: Points) -> str:
    """Return a curve for those who do not see it: a few of its points."""
    chosen = [points[place * (len(points) - 1) // 4] for place in range(5)] if len(points) > 5 else points
    return ", ".join(f"{figure(point[1])} at {figure(point[0])}" for point in chosen)
