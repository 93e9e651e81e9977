"""Pictures of two models on the same rows: ROC, precision and recall, calibration; and of two data sets, by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from mlgates.reports.html.svg import Drawn, Scale, add, drawn, line, picture, polyline
from mlgates.reports.wording import figure

WIDTH, HEIGHT = 320, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 310, 10, 246
_X, _Y = Scale(0, 1, _LEFT, _RIGHT), Scale(0, 1, _BOTTOM, _TOP)
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
ROLES = ("champion", "candidate")
"""The order of drawing: the candidate lies on top."""

Points = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Axes:
    """What a chart of shares, 0 to 1 both ways, shows."""

    title: str
    across: str
    upwards: str
    diagonal: bool
    """Whether the line from corner to corner means something: chance, or perfect calibration."""


ROC = Axes("ROC curve", "false positive rate", "true positive rate", diagonal=True)
PRECISION_RECALL = Axes("Precision and recall", "recall", "precision", diagonal=False)
CALIBRATION = Axes("Calibration", "probability given", "share that is positive", diagonal=True)


def chart(axes: Axes, series: Mapping[str, Points], *, dots: bool = False) -> Drawn:
    """Draw the points of each role in `series`; with `dots`, each point is marked."""
    told = "; ".join(f"{role}: {_in_words(points)}" for role, points in series.items() if points)
    svg = picture(WIDTH, HEIGHT, axes.title, f"{axes.upwards} against {axes.across}. {told}")
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


def _frame(svg: Element, axes: Axes) -> None:
    for tick in _TICKS:
        line(svg, (_X(tick), _TOP), (_X(tick), _BOTTOM), "grid")
        line(svg, (_LEFT, _Y(tick)), (_RIGHT, _Y(tick)), "grid")
        add(svg, "text", f"{tick:g}", x=_X(tick), y=_BOTTOM + 15, class_="tick", text_anchor="middle")
        add(svg, "text", f"{tick:g}", x=_LEFT - 6, y=_Y(tick) + 4, class_="tick", text_anchor="end")
    if axes.diagonal:
        line(svg, (_X(0), _Y(0)), (_X(1), _Y(1)), "diagonal")
    middle = (_LEFT + _RIGHT) / 2
    add(svg, "text", axes.across, x=middle, y=HEIGHT - 10, class_="axis", text_anchor="middle")
    up = (_TOP + _BOTTOM) / 2
    turned = f"rotate(-90 11 {up:g})"
    add(svg, "text", axes.upwards, x=11, y=up, class_="axis", text_anchor="middle", transform=turned)


def _in_words(points: Points) -> str:
    """Return a curve for those who do not see it: a few of its points."""
    chosen = [points[place * (len(points) - 1) // 4] for place in range(5)] if len(points) > 5 else points
    return ", ".join(f"{figure(point[1])} at {figure(point[0])}" for point in chosen)


def distributions(title: str, champion: Sequence[float], candidate: Sequence[float]) -> Drawn:
    """Draw the shares of two data sets in the same bins, bar beside bar."""
    width, height = 220, 80
    told = ", ".join(f"{old:.0%} became {new:.0%}" for old, new in zip(champion, candidate, strict=True))
    svg = picture(width, height, title, f"Shares of the champion's and the candidate's rows by bin: {told}.")
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
