"""Benchmarks: `python -m tests.bench [NAME ...]` prints a table and writes reports/bench.json."""

import argparse
import json
import platform
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure
from tests.bench.measures import MEASURES


def main() -> None:
    """Run the measures that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--output", type=Path, default=Path("reports/bench.json"))
    arguments = parser.parse_args()
    console = Console()
    figures: list[Figure] = []
    for name in arguments.names or MEASURES:
        with console.status(f"measuring {name}"):
            figures += MEASURES[name]()
    console.print(_table(figures))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": list(map(asdict, figures)),
    }
    arguments.output.write_text(json.dumps(content, indent=2) + "\n")
    console.print(f"Kept in {arguments.output}")


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "median", "spread", "goal", "", title="Benchmarks")
    for figure in figures:
        met = "" if figure.goal is None else "met" if figure.median <= figure.goal else "[red]missed"
        goal = "" if figure.goal is None else f"{figure.goal:g} {figure.unit}"
        spread = f"{min(figure.values):.3g} to {max(figure.values):.3g}"
        table.add_row(figure.what, f"{figure.median:.3g} {figure.unit}", spread, goal, met)
    return table


main()
