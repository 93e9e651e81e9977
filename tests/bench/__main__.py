"""Benchmarks: `python -m tests.bench [NAME ...]` prints a table and writes reports/bench.json."""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure, MeasureFailed
from tests.bench.measures import MEASURES, ON_REQUEST

_WIDTH = 140  # of the table in a file or a pipe


def main() -> int:
    """Run the measures that are named, or all but those that take minutes; return the exit code, 1 when one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--output", type=Path, default=Path("reports/bench.json"))
    arguments = parser.parse_args()
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    figures: list[Figure] = []
    failures: list[str] = []
    for name in arguments.names or [name for name in MEASURES if name not in ON_REQUEST]:
        with console.status(f"measuring {name}"):
            try:
                figures += MEASURES[name]()
            except MeasureFailed as error:
                failures.append(f"{name}: {error}")
    console.print(_table(figures))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "figures": list(map(asdict, figures)),
    }
    arguments.output.write_text(json.dumps(content, indent=2) + "\n")
    console.print(f"Kept in {arguments.output}")
    for failure in failures:
        sys.stderr.write(f"failed: {failure}\n")
    return 1 if failures else 0


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "median", "spread", "goal", "", title="Benchmarks")
    for figure in figures:
        met = "" if not figure.target else "met" if figure.met else "[red]missed"
        spread = f"{_short(min(figure.values))} to {_short(max(figure.values))}"
        table.add_row(figure.what, f"{_short(figure.median)} {figure.unit}", spread, figure.target, met)
    return table


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
