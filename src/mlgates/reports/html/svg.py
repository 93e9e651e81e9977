"""Small pictures, built as XML elements, so that no name or figure can become markup."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from mlgates.reports.wording import clean


class Drawn(str):
    """Markup that was built and escaped here; a template takes it as it stands."""

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
    """Add an element; `class_` is its class, and `_` in other names stands for `-`."""
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


def _written(value: str | float) -> str:
    return clean(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
