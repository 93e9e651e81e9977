"""The colours of the report, for light and for dark; a test holds their contrast to WCAG 2.2, level AA."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour in both themes, `#rrggbb`."""

    light: str
    dark: str


COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        # what is written on
        "paper": Colour("#f7f7f4", "#14171a"),
        "panel": Colour("#ffffff", "#1c2125"),
        # what is written
        "ink": Colour("#1c2127", "#e6e9ec"),
        "quiet": Colour("#56606b", "#a5afb9"),
        "link": Colour("#0b5796", "#86bdf4"),
        # lines that only divide
        "line": Colour("#dcdfdc", "#343b42"),
        # verdicts, each as text and as the ground that it stands on
        "good": Colour("#17643a", "#80d3a0"),
        "good-ground": Colour("#e3f3e8", "#17301f"),
        "bad": Colour("#b3261e", "#ffa198"),
        "bad-ground": Colour("#fce9e7", "#401f1c"),
        "warn": Colour("#835000", "#f0c272"),
        "warn-ground": Colour("#fbf0db", "#382b11"),
        "plain-ground": Colour("#ecedea", "#2a3036"),
        # the two models
        "candidate": Colour("#0b5796", "#86bdf4"),
        "champion": Colour("#96560a", "#e3ad62"),
    }
)

GROUNDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ink": ("paper", "panel", "plain-ground"),
        "quiet": ("paper", "panel", "plain-ground"),
        "link": ("paper", "panel"),
        "good": ("panel", "good-ground"),
        "bad": ("panel", "bad-ground"),
        "warn": ("panel", "warn-ground"),
        "candidate": ("panel",),
        "champion": ("panel",),
    }
)
"""Which grounds each colour of text stands on."""


def properties() -> str:
    """Return the colours as CSS custom properties, each following the page's `color-scheme`."""
    return "\n".join(f"  --{name}: light-dark({colour.light}, {colour.dark});" for name, colour in COLOURS.items())
