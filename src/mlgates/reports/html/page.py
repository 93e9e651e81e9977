"""Records as pages: one HTML file each, with its style, its colours and its pictures in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlgates.core.gates import GateRecord
from mlgates.core.pipelines import PipelineRecord, StageRecord
from mlgates.reports import wording
from mlgates.reports.html import sections
from mlgates.reports.html.charts import NOTHING, Drawn, bullet, span

APPROVED_AT = "prod"
"""The gate after which somebody has to approve."""


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
        # verdicts, each as text and as its ground
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
"""Which grounds each colour of text is shown on."""


def gate_page(record: GateRecord) -> str:
    """Return the page of a gate."""
    return _templates().get_template("gate.html").render(title=wording.headline(record), record=record)


def pipeline_page(record: PipelineRecord) -> str:
    """Return the page of a pipeline, with each of its gates."""
    return _templates().get_template("pipeline.html").render(title=wording.pipeline_headline(record), record=record)


def stage_bar(stage: StageRecord, record: PipelineRecord) -> Drawn:
    """Draw when a stage ran, within the time of its pipeline; nothing for one that has not begun."""
    try:
        after = (datetime.fromisoformat(stage.started) - datetime.fromisoformat(record.started)).total_seconds()
    except (ValueError, TypeError):  # no time, or one with a zone and one without
        return NOTHING
    return span(max(0.0, after), stage.seconds, record.seconds, f"Time of {stage.name}", stage.state)


def properties() -> str:
    """Return the colours as CSS custom properties, each following the page's `color-scheme`."""
    return "\n".join(f"  --{name}: light-dark({colour.light}, {colour.dark});" for name, colour in COLOURS.items())


@cache  # a new environment compiles every template again: ten times what a page takes
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {name: getattr(wording, name) for name in ("figure", "signed", "duration", "moment", "clean")}
    templates.globals |= {
        "approved_at": APPROVED_AT,
        "bullet": bullet,
        "colours": Drawn(properties()),
        "marks": wording.MARKS,
        "nothing": wording.NONE,
        "sections": sections,
        "stage_bar": stage_bar,
        "wording": wording,
    }
    return templates
