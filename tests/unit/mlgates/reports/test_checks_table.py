import io

from rich.console import Console

from mlgates.core.gates import GateRecord
from mlgates.reports.tables import checks_table
from tests.unit.mlgates.reports.examples import PROD


def shown(record: GateRecord, width: int = 80) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(checks_table(record))
    return stream.getvalue().splitlines()


def test_every_check_has_verdict_figure_and_limit_on_a_line() -> None:
    (line,) = [line for line in shown(PROD) if line.startswith("metrics.auc")]
    assert line.split() == ["metrics.auc", "✓", "passed", "0.9816", "at", "least", "0.82"]


def test_a_verdict_is_told_without_colour() -> None:
    text = "\n".join(shown(PROD))
    assert [mark in text for mark in ("✗ failed", "! warned", "? could not run")] == [True] * 3


def test_the_table_fits_a_ci_log_of_80_columns() -> None:
    assert max(map(len, shown(PROD))) <= 80
