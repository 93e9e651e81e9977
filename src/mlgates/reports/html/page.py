"""Records as pages: one HTML file each, with its style and its pictures in it."""

from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlgates.core.gates import GateRecord
from mlgates.core.pipelines import PipelineRecord, Stage
from mlgates.reports import wording
from mlgates.reports.html import sections
from mlgates.reports.html.bars import bullet, span
from mlgates.reports.html.palette import properties
from mlgates.reports.html.svg import NOTHING, Drawn

APPROVED_AT = "prod"
"""The gate after which a person is asked."""


def gate_page(record: GateRecord) -> str:
    """Return the page of a gate."""
    return _templates().get_template("gate.html").render(title=wording.headline(record), record=record)


def pipeline_page(record: PipelineRecord) -> str:
    """Return the page of a pipeline, with each of its gates."""
    return _templates().get_template("pipeline.html").render(title=wording.pipeline_headline(record), record=record)


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


def stage_bar(stage: Stage, record: PipelineRecord) -> Drawn:
    """Draw when a stage ran, within the time of its pipeline; nothing for one that has not begun."""
    try:
        after = (datetime.fromisoformat(stage.started) - datetime.fromisoformat(record.started)).total_seconds()
    except (ValueError, TypeError):  # no time, or one with a zone and one without
        return NOTHING
    return span(max(0.0, after), stage.seconds, record.seconds, f"Time of {stage.name}", stage.state)
