"""Where records lie below reports/, in the form that each reader wants: programs, CI, a pull request, an approver."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.files import write_whole
from mlgates.core.gates import GateRecord
from mlgates.core.nearest import did_you_mean
from mlgates.core.pipelines import PipelineRecord
from mlgates.reports.html.page import gate_page, pipeline_page
from mlgates.reports.junit import junit
from mlgates.reports.markdown import gate_markdown, pipeline_markdown

GATES = "gates"
PIPELINES = "pipelines"
R = TypeVar("R", GateRecord, PipelineRecord)


def write_gate(record: GateRecord, reports: Path) -> Path:
    """Write a gate's record below `reports` as HTML, JUnit XML, Markdown and JSON; return the HTML file."""
    forms = {"junit.xml": junit(record), "md": gate_markdown(record), "html": gate_page(record)}
    return _written(reports / GATES, record.gate, record.to_dict(), forms)


def write_pipeline(record: PipelineRecord, reports: Path) -> Path:
    """Write a pipeline's record below `reports` as HTML, Markdown and JSON; return the HTML file."""
    forms = {"md": pipeline_markdown(record), "html": pipeline_page(record)}
    return _written(reports / PIPELINES, record.pipeline, record.to_dict(), forms)


def write(record: GateRecord | PipelineRecord, reports: Path) -> Path:
    """Write a record of either kind; return the HTML file."""
    return write_gate(record, reports) if isinstance(record, GateRecord) else write_pipeline(record, reports)


def markdown_file(record: GateRecord | PipelineRecord, reports: Path) -> Path:
    """Return where the Markdown of a record that was written below `reports` lies."""
    if isinstance(record, GateRecord):
        return reports / GATES / f"{record.gate}.md"
    return reports / PIPELINES / f"{record.pipeline}.md"


def _written(folder: Path, name: str, document: Mapping[str, Any], forms: Mapping[str, str]) -> Path:
    for ending, text in forms.items():
        write_whole(folder / f"{name}.{ending}", text)
    # Last: a JSON file that is there has its readable forms beside it.
    write_whole(folder / f"{name}.json", json.dumps(document, indent=2))
    return folder / f"{name}.html"


def read_newest(reports: Path, *, gate: str | None = None, pipeline: str | None = None) -> GateRecord | PipelineRecord:
    """Return the record that was written last below `reports`, or that of the `gate` or the `pipeline` named.

    Raises `AssetMissing` when there is none, `ConfigurationError` for a file that is no record.
    """
    if gate:
        return _read(_named(reports / GATES, gate, "gate"), GateRecord.from_dict)
    if pipeline:
        return _read(_named(reports / PIPELINES, pipeline, "pipeline"), PipelineRecord.from_dict)
    files = [*(reports / GATES).glob("*.json"), *(reports / PIPELINES).glob("*.json")]
    if not files:
        raise AssetMissing(f"{reports} holds no record yet: run 'mlgates gate' or 'mlgates pipeline' first")
    newest = max(files, key=lambda file: file.stat().st_mtime_ns)
    if newest.parent.name == GATES:
        return _read(newest, GateRecord.from_dict)
    return _read(newest, PipelineRecord.from_dict)


def _named(folder: Path, name: str, what: str) -> Path:
    file = folder / f"{name}.json"
    known = [other.stem for other in folder.glob("*.json")]
    if name not in known:
        hint = did_you_mean(name, known) if known else f"Run 'mlgates {what} {name}' first"
        raise AssetMissing(f"{folder} holds no record of {what} '{name}'. {hint}")
    return file


def _read(file: Path, parse: Callable[[Mapping[str, Any]], R]) -> R:
    try:
        return parse(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{file} is not a record that this version wrote ({type(error).__name__}: {error}): run the gate again"
        ) from error
