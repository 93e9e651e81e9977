"""How the ledger is shown: a row an entry, the newest last."""

from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from mlgates.core.ledger import Action, Entry
from mlgates.reports.tables import short

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
