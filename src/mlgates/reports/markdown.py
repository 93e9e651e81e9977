"""Records as Markdown, for a pull request's comment or a job's summary: what was decided first, and short."""

import re
from collections.abc import Iterable, Sequence

from mlgates.core.gates import GateRecord, Verdict
from mlgates.core.pipelines import PipelineRecord, StageState
from mlgates.reports.wording import NONE, duration, figure, headline, moment, signed, tally, worst_first

_MARKS = {Verdict.PASSED: "✅", Verdict.WARNED: "⚠️", Verdict.FAILED: "❌", Verdict.COULD_NOT_RUN: "❌"}
_STAGES = {StageState.PASSED: "✅", StageState.FAILED: "❌", StageState.SKIPPED: "⏭️", StageState.WAITING: "⏳"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~])")


def escaped(text: str) -> str:
    """Return `text` so that it reads as it is, on one line: a name or a reason is never Markdown or HTML."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", line)


def gate_markdown(record: GateRecord) -> str:
    """Return a gate's record: the decision, what stands against it, and every check in a table."""
    lines = [
        f"## {'✅' if record.passed else '❌'} {escaped(headline(record))}",
        "",
        tally(record),
        *_complaints(record),
        "",
        *_table(
            ("", "check", "figure", "limit", "margin"),
            (
                (
                    _MARKS[result.verdict],
                    escaped(result.name),
                    figure(result.figure, escaped(result.unit)),
                    escaped(result.limit) or NONE,
                    signed(result.margin, escaped(result.unit)),
                )
                for result in record.results
            ),
        ),
        "",
        _facts(record),
    ]
    return "\n".join(lines) + "\n"


def pipeline_markdown(record: PipelineRecord) -> str:
    """Return a pipeline's record: how it ended, its stages, decisions, what serves, and each gate."""
    lines = [
        f"## {'✅' if record.passed else _STAGES[record.state]} {escaped(record.summary)}",
        "",
        f"{escaped(record.environment)}, workspace {escaped(record.workspace)}, {moment(record.started)}, "
        f"{duration(record.seconds)}",
        "",
        *_table(
            ("", "stage", "time", "remark"),
            (
                (_STAGES[stage.state], escaped(stage.name), duration(stage.seconds), escaped(stage.remark))
                for stage in record.stages
            ),
        ),
    ]
    for decision in record.decisions:
        said = "approved" if decision.approved else "rejected"
        lines += ["", f"**{escaped(decision.model)} {said}** by {escaped(decision.by)}: {escaped(decision.reason)}"]
    for serving in record.serving:
        where = f"{serving.endpoint}/{serving.deployment}"
        lines += ["", f"{escaped(where)} serves {escaped(serving.model)} with {serving.share} % of the traffic"]
    for gate in record.gates:
        lines += ["", gate_markdown(gate).rstrip("\n").replace("## ", "### ", 1)]
    return "\n".join(lines) + "\n"


def _complaints(record: GateRecord) -> list[str]:
    lines = [
        f"- **{escaped(result.name)}** {result.verdict}: {escaped(result.reason)}"
        + (f"  \n  *What to do:* {escaped(result.remedy)}" if result.remedy else "")
        for result in worst_first(record)
    ]
    return ["", *lines] if lines else []


def _facts(record: GateRecord) -> str:
    champion = f"champion {record.champion.model}" if record.champion else "no champion"
    facts = [
        f"environment {record.environment}",
        f"workspace {record.workspace}",
        *([f"candidate {record.candidate.model}", champion] if record.candidate else []),
        f"commit {record.commit[:12]}",
        *([f"build {record.build[:12]}"] if record.build else []),
        f"{moment(record.started)}, {duration(record.seconds)}",
    ]
    return escaped(" · ".join(facts))


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
