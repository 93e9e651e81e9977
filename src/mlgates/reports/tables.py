"""What is shown as tables: what a workspace has, every check of a gate, every entry of the ledger."""

from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mlgates.core.gates import GateRecord, Verdict
from mlgates.core.ledger import Action, Entry
from mlgates.core.lineage import Lineage
from mlgates.core.pipelines import PipelineRecord, StageState
from mlgates.core.values import AssetVersion, Inventory, Job
from mlgates.reports.wording import MARKS, figure

_SHORT = 12
_STAGE_COLOURS = {
    StageState.PASSED: "green",
    StageState.FAILED: "red",
    StageState.SKIPPED: "dim",
    StageState.WAITING: "yellow",
}
_COLOURS = {Verdict.PASSED: "green", Verdict.WARNED: "yellow", Verdict.FAILED: "red", Verdict.COULD_NOT_RUN: "red"}
_STYLES = {
    Action.APPROVED: "green",
    Action.RELEASED: "bold green",
    Action.REJECTED: "red",
    Action.WITHDRAWN: "bold red",
    Action.ROLLED_BACK: "yellow",
    Action.LOCKED: "dim",
    Action.UNLOCKED: "dim",
    Action.REPAIRED: "bold yellow",
}


def checks_table(record: GateRecord) -> RenderableType:
    """Return every check of a gate: verdict, figure and limit."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in ("check", "verdict"):
        table.add_column(column, no_wrap=True, overflow="fold")
    table.add_column("figure", no_wrap=True, justify="right")
    table.add_column("limit", overflow="fold")
    for result in record.results:
        verdict = Text(f"{MARKS[result.verdict]} {result.verdict}", style=_COLOURS[result.verdict])
        table.add_row(Text(result.name), verdict, Text(figure(result.figure, result.unit)), Text(result.limit))
    return table


def stages_table(record: PipelineRecord) -> RenderableType:
    """Return every stage of a pipeline with its state, its time and its result."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in ("stage", "state"):
        table.add_column(column, no_wrap=True)
    table.add_column("seconds", no_wrap=True, justify="right")
    table.add_column("result", overflow="fold")
    for stage in record.stages:
        seconds = f"{stage.seconds:.1f}" if stage.started else ""
        state = Text(stage.state, style=_STAGE_COLOURS[stage.state])
        table.add_row(Text(stage.name), state, seconds, Text(stage.remark))
    table.add_row(Text("all"), Text(""), f"{record.seconds:.1f}", Text(""))
    return table


def inventory_tables(inventory: Inventory) -> RenderableType:
    """Return environments, data, jobs, and models with their lineage."""
    return Group(
        _assets("Environments", inventory.environments, "content_sha256"),
        _assets("Data", inventory.data, "sha256"),
        _jobs(inventory.jobs),
        _models(inventory.models),
    )


def where_to_look(inventory: Inventory) -> Iterator[str]:
    """Yield the addresses of the newest job's page and of its MLflow, a line each."""
    for job in inventory.jobs[:1]:
        if job.link:
            yield f"newest job  {job.link}"
        if job.tracking:
            yield f"MLflow      {job.tracking}"


def short(digest: str) -> str:
    """Return enough of a checksum or commit to compare by eye."""
    return digest[:_SHORT]


def history_table(entries: Iterable[Entry]) -> Table:
    """Return the entries as a table."""
    table = Table(show_edge=False, pad_edge=False)
    for column in ("#", "when (UTC)", "what", "version", "by", "why"):
        table.add_column(column, no_wrap=column in {"#", "when (UTC)", "what", "version"}, overflow="fold")
    for entry in entries:
        when = entry.at[:19].replace("T", " ")
        # Text, not markup: names and reasons come from people.
        what = Text(entry.action, style=_STYLES[entry.action])
        table.add_row(str(entry.number), when, what, *map(Text, (entry.model, entry.by, ", ".join(_why(entry)))))
    if not table.row_count:
        table.add_row("", Text("none yet", style="dim"))
    return table


def _assets(title: str, versions: Iterable[AssetVersion], checksum_tag: str) -> Table:
    rows = ((str(each), short(each.tags.get(checksum_tag, "")), _others(each, checksum_tag)) for each in versions)
    return _table(title, ("version", "sha256", "tags"), rows)


def _jobs(jobs: Iterable[Job]) -> Table:
    rows = ((job.name, job.status, job.tags.get("data", ""), short(job.tags.get("git_commit", ""))) for job in jobs)
    return _table("Jobs", ("job", "status", "data", "commit"), rows)


def _models(versions: Iterable[AssetVersion]) -> Table:
    rows = ((str(each), "\n".join(_lineage_lines(Lineage.from_tags(each.tags)))) for each in versions)
    return _table("Models", ("version", "made from"), rows)


def _lineage_lines(lineage: Lineage) -> Iterator[str]:
    yield f"job {lineage.job}"
    yield f"commit {short(lineage.git_commit)}{' and local changes' if lineage.git_dirty == 'True' else ''}"
    yield f"data {lineage.data}, origin {lineage.data_origin}"
    yield f"environment {lineage.environment}"
    yield ", ".join(f"{name} {value:.4g}" for name, value in lineage.metrics.items())


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, show_lines=False)
    for column in columns:
        # Names are there to be copied; tags and lineage may wrap.
        table.add_column(column, no_wrap=column in {"version", "job", "sha256", "commit"}, overflow="fold")
    for row in rows:
        # Text, not markup: names and tags come from the workspace.
        table.add_row(*map(Text, row))
    if not table.row_count:
        table.add_row(Text("none yet", style="dim"))
    return table


def _others(version: AssetVersion, checksum_tag: str) -> str:
    return ", ".join(f"{name}={value}" for name, value in version.tags.items() if name != checksum_tag)


def _why(entry: Entry) -> Iterator[str]:
    if entry.reason:
        yield entry.reason
    if entry.gate_record:
        yield f"gate record {short(entry.gate_record)}"
    if entry.sha256:
        yield f"content {short(entry.sha256)}"
    if entry.deployment:
        yield f"{entry.endpoint}/{entry.deployment}"
    if before := entry.facts.get("before"):
        yield f"before {before}"
    if found := entry.facts.get("found"):
        yield f"found: {found}"
