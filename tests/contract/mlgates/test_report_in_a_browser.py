"""The report as headless Chromium lays it out: both themes, wide and on a phone, nothing beyond the edge."""

import html
import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mlgates.reports.html.page import COLOURS, gate_page, pipeline_page
from tests.unit.mlgates.reports.examples import PROD, RELEASED

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=f"no browser on PATH: looked for {', '.join(NAMES)}")

# No sandbox: in a container Chromium has no rights to make one, and the page is our own.
QUIET = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
WIDTHS = {"wide": 1200, "phone": 360}

# The page lies in a frame of its own, since a window of Chromium cannot be as narrow as a phone. What is measured goes
# into the title, from where --dump-dom brings it out.
HARNESS = """<!doctype html><title>not measured</title>
<iframe width="{width}" height="800" srcdoc="{page}" onload="measure(this)"></iframe>
<script>
function measure(frame) {{
  const page = frame.contentDocument, body = page.body;
  page.getElementById("theme-{theme}").click();
  const wide = page.documentElement.clientWidth;
  const beyond = [...body.querySelectorAll("*")].filter(each => {{
    const box = each.getBoundingClientRect();
    return box.width > 1 && box.right > wide + 0.5 && box.left > -999;
  }});
  document.title = JSON.stringify({{
    width: wide,
    scrolls: page.documentElement.scrollWidth,
    beyond: beyond.map(each => each.tagName + " " + each.textContent.slice(0, 40)),
    ground: frame.contentWindow.getComputedStyle(body).backgroundColor,
    curves: [...page.querySelectorAll("figure svg")].map(each => each.getBoundingClientRect().height),
  }});
}}
</script>"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the browser made of a page; lengths in CSS pixels."""

    width: int
    scrolls: int
    """How wide the page would have to be to show everything."""
    beyond: list[str]
    """The elements that stick out at the right."""
    ground: str
    curves: list[float]
    """The heights of the charts."""


def measure(page: str, folder: Path, *, width: int, theme: str) -> Measured:
    file = folder / "harness.html"
    file.write_text(HARNESS.format(page=html.escape(page), width=width, theme=theme), encoding="utf-8")
    arguments = [*(f"--{flag}" for flag in QUIET), f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    assert CHROMIUM
    run = subprocess.run([CHROMIUM, *arguments], capture_output=True, text=True, timeout=120, check=True)
    title = run.stdout.partition("<title>")[2].partition("</title>")[0]
    return Measured(**json.loads(html.unescape(title)))


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_gates_page_fits_its_window_in_its_theme(tmp_path: Path, width: int, theme: str) -> None:
    measured = measure(gate_page(PROD), tmp_path, width=width, theme=theme)
    assert (measured.beyond, measured.scrolls) == ([], measured.width)
    assert measured.ground == rgb(getattr(COLOURS["paper"], theme))
    assert measured.curves
    assert min(measured.curves) > 50


def test_a_pipelines_page_fits_a_phone_whatever_the_names(tmp_path: Path) -> None:
    endless = "0123456789abcdef_" * 12
    stages = tuple(replace(stage, name=endless, remark=endless) for stage in RELEASED.stages)
    gate = replace(PROD, workspace=endless, results=tuple(replace(r, name=endless, unit="") for r in PROD.results))
    serving = tuple(replace(each, endpoint=endless, model=endless) for each in RELEASED.serving)
    record = replace(RELEASED, stages=stages, gates=(gate,), serving=serving)
    measured = measure(pipeline_page(record), tmp_path, width=WIDTHS["phone"], theme="light")
    assert (measured.beyond, measured.scrolls) == ([], measured.width)


def test_what_is_too_wide_is_noticed(tmp_path: Path) -> None:
    page = gate_page(PROD).replace("<footer>", '<footer><p style="width: 3000px">wide</p>')
    measured = measure(page, tmp_path, width=WIDTHS["phone"], theme="light")
    assert measured.scrolls > measured.width
