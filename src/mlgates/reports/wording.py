"""How figures, times and verdicts read, the same in every report."""

import math
import re
from datetime import datetime

from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.pipelines import PipelineRecord, StageState

MARKS = {Verdict.PASSED: "✓", Verdict.WARNED: "!", Verdict.FAILED: "✗", Verdict.COULD_NOT_RUN: "?"}
"""A verdict in one character, so that it does not hang on colour alone."""

NONE = "—"
"""Stands where there is nothing to say."""

# What XML 1.0 does not allow in a document, not even escaped (https://www.w3.org/TR/xml/#charsets).
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Return `text` with a replacement character for what XML cannot carry: a reason may contain anything."""
    return _NOT_XML.sub("\ufffd", text)


def figure(value: float | None, unit: str = "") -> str:
    """Return a figure with four digits that count and its unit; a dash for none."""
    if value is None or math.isnan(value):
        return NONE
    # Whole numbers keep their digits: 12345 tests are not 1.234e+04.
    number = f"{value:.0f}" if abs(value) < 1e9 and value == round(value) else f"{value:.4g}"
    return f"{number} {unit}".rstrip()


def signed(value: float | None, unit: str = "") -> str:
    """Return a margin: a figure with its sign; a dash for none."""
    if value is None or math.isnan(value):
        return NONE
    return ("+" if value >= 0 else "") + figure(value, unit)


def duration(seconds: float) -> str:
    """Return a duration as a person says it: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, left = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(iso: str) -> str:
    """Return a time as `2026-03-01 09:30 UTC`; what is no time is returned unchanged."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{at:%Y-%m-%d %H:%M} {'UTC' if not at.utcoffset() else at.strftime('%z')}"


def subject(record: GateRecord) -> str:
    """Return what a gate is about: a model version, or a commit."""
    return record.candidate.model if record.candidate else f"commit {record.commit[:12]}"


def headline(record: GateRecord) -> str:
    """Return what was decided, in one sentence without its full stop."""
    return f"Gate {record.gate} {'passed' if record.passed else 'failed'} for {subject(record)}"


def pipeline_headline(record: PipelineRecord) -> str:
    """Return how far a pipeline is, in one sentence without its full stop."""
    stage = record.stopped_at
    if stage:
        return (
            f"Pipeline {record.pipeline} {'waits' if stage.state is StageState.WAITING else 'failed'} at {stage.name}"
        )
    failed = next((gate for gate in record.gates if not gate.passed), None)
    if failed:
        return f"Pipeline {record.pipeline} failed: {headline(failed)[0].lower()}{headline(failed)[1:]}"
    return f"Pipeline {record.pipeline} {'passed' if record.passed else 'did nothing'}"


def tally(record: GateRecord) -> str:
    """Return how the checks ended, in one sentence."""
    results = record.results
    if not results:
        return "No check ran, and a gate without a check does not pass."
    broken = sum(not result.verdict.holds for result in results)
    warned = sum(result.verdict is Verdict.WARNED for result in results)
    if not broken:
        return f"All {len(results)} checks hold{f', {warned} of them with a warning' if warned else ''}."
    warning = f"; {warned} more only {'warns' if warned == 1 else 'warn'}" if warned else ""
    return f"{broken} of {len(results)} checks {'does' if broken == 1 else 'do'} not hold{warning}."


def worst_first(record: GateRecord) -> list[CheckResult]:
    """Return the results that did not pass: those for which the gate fails, then the warnings."""
    return [
        result
        for verdicts in ({Verdict.FAILED, Verdict.COULD_NOT_RUN}, {Verdict.WARNED})
        for result in record.results
        if result.verdict in verdicts
    ]
