"""Records as Markdown, and where a CI run shows it: where an approver, or a pull request's author, looks first.

GitHub shows what is appended to the file `GITHUB_STEP_SUMMARY` (docs.github.com, workflow commands, job summary); Azure
DevOps uploads the file that a line of the log names (learn.microsoft.com, logging commands, UploadSummary).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

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
    """Return a gate's record: the decision, what is against it, and every check in a table."""
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


def show_on_run(markdown: Path, environ: Mapping[str, str], say: Callable[[str], object]) -> None:
    """Put `markdown` on the page of this run, by a line to `say` on Azure DevOps; outside of CI, do nothing."""
    if page := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as summary:
            summary.write(f"{markdown.read_text(encoding='utf-8').rstrip()}\n\n")
    elif environ.get("TF_BUILD"):
        say(f"##vso[task.uploadsummary]{markdown.absolute()}")


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
