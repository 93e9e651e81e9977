import re
from pathlib import Path

import pytest

from mlgates.reports.html import page
from mlgates.reports.html.palette import COLOURS, GROUNDS, properties

PAIRS = [
    (text, ground, theme) for text, grounds in GROUNDS.items() for ground in grounds for theme in ("light", "dark")
]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(("text", "ground", "theme"), PAIRS)
def test_text_stands_out_from_its_ground_by_level_aa(text: str, ground: str, theme: str) -> None:
    assert contrast(getattr(COLOURS[text], theme), getattr(COLOURS[ground], theme)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("shape", ["good", "bad", "warn", "candidate", "champion", "quiet"])
def test_what_is_drawn_stands_out_from_its_ground(shape: str, theme: str) -> None:
    for ground in ("panel", "plain-ground", "good-ground"):
        assert contrast(getattr(COLOURS[shape], theme), getattr(COLOURS[ground], theme)) >= 3


def test_every_colour_that_the_style_uses_is_in_the_palette() -> None:
    style = (Path(page.__file__).parent / "templates" / "style.css").read_text()
    assert set(re.findall(r"var\(--([a-z-]+)\)", style)) == set(COLOURS)
    assert not re.search(r"#[0-9a-f]{3,6}\b(?!-)", style.replace("#theme", ""))


def test_each_colour_follows_the_theme() -> None:
    assert properties().count("light-dark(") == len(COLOURS)
