"""How what a workspace holds is shown: one table a kind."""

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion, Inventory, Job

_SHORT = 12


def inventory_tables(inventory: Inventory) -> RenderableType:
    """Return environments, data, jobs and models with their lineage, and where MLflow is."""
    return Group(
        _assets("Environments", inventory.environments, "content_sha256"),
        _assets("Data", inventory.data, "sha256"),
        _jobs(inventory.jobs),
        _models(inventory.models),
        Text(_where_to_look(inventory)),
    )


def _assets(title: str, versions: Iterable[AssetVersion], checksum_tag: str) -> Table:
    rows = ((str(each), short(each.tags.get(checksum_tag, "")), _others(each, checksum_tag)) for each in versions)
    return _table(title, ("version", "sha256", "tags"), rows)


def _jobs(jobs: Iterable[Job]) -> Table:
    rows = ((job.name, job.status, *_made_from(job.tags)) for job in jobs)
    return _table("Jobs", ("job", "status", "data", "environment", "commit"), rows)


def _made_from(tags: Mapping[str, str]) -> tuple[str, ...]:
    return tags.get("data", ""), tags.get("environment", ""), short(tags.get("git_commit", ""))


def _models(versions: Iterable[AssetVersion]) -> Table:
    rows = ((str(each), *_lineage_cells(Lineage.from_tags(each.tags))) for each in versions)
    return _table("Models", ("version", "job", "commit", "data", "environment", "metrics"), rows)


def _lineage_cells(lineage: Lineage) -> tuple[str, ...]:
    dirty = " and local changes" if lineage.git_dirty == "True" else ""
    metrics = "\n".join(f"{name} {value:.4g}" for name, value in lineage.metrics.items())
    data = f"{lineage.data} ({lineage.data_origin})"
    return lineage.job, short(lineage.git_commit) + dirty, data, lineage.environment, metrics


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Text, not markup: names and tags come from the workspace.
        table.add_row(*map(Text, row))
    if not table.row_count:
        table.add_row(Text("none yet", style="dim"))
    return table


def _others(version: AssetVersion, checksum_tag: str) -> str:
    return ", ".join(f"{name}={value}" for name, value in version.tags.items() if name != checksum_tag)


def _where_to_look(inventory: Inventory) -> str:
    newest = [f"newest job: {job.link}" for job in inventory.jobs[:1] if job.link]
    return "\n".join(("", *newest, f"MLflow: {inventory.mlflow}"))


def short(digest: str) -> str:
    """Return enough of a checksum or commit for a person to compare."""
    return digest[:_SHORT]
