"""The command `python -m diabetes_dataset`: what it is asked for, and what it tells the person."""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from diabetes.errors import DiabetesError
from diabetes_dataset import acquire
from diabetes_dataset.acquire import Outcome
from diabetes_dataset.origin import Kind


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 when the training set is in place, 1 when it is not (one line on stderr says why)."""
    options = _options(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the path may hold what the terminal cannot show
    try:
        outcome = _acquire(options)
    except DiabetesError as error:
        if options.debug:
            raise
        sys.stderr.write(f"error: {error}\n")
        return 1
    _tell(outcome, options.output)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.unverified and not options.file:
        parser.error("--unverified is said of a --file")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m diabetes_dataset",
        description="Put the training set in place: fetched, taken from a file, or a synthetic stand-in when offline.",
    )
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument("--file", type=Path, help="take this file instead of fetching one")
    wanted.add_argument("--stand-in", action="store_true", help="make the synthetic stand-in on purpose")
    parser.add_argument("--unverified", action="store_true", help="let --file be another than the published data set")
    parser.add_argument("--replace", action="store_true", help="give up what is there now, a stand-in for instance")
    parser.add_argument("--output", type=Path, default=Path("data/diabetes.csv"), help="default: %(default)s")
    parser.add_argument("--source", type=Path, default=Path("data/source.toml"), help="default: %(default)s")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _acquire(options: argparse.Namespace) -> Outcome:
    if options.file:
        return acquire.take(
            options.file, options.output, options.source, unverified=options.unverified, replace=options.replace
        )
    if options.stand_in:
        return acquire.make(options.output, options.source, replace=options.replace)
    return acquire.fetch(options.output, options.source, replace=options.replace)


def _tell(outcome: Outcome, output: Path) -> None:
    found = outcome.origin
    if found.origin is Kind.STAND_IN:
        sys.stderr.write(_warning(outcome, output))
    done = "written" if outcome.written else "already there, nothing to do"
    sys.stdout.write(f"{output}: {done} ({found.rows:,} rows, origin {found.origin}, sha256 {found.sha256})\n")


def _warning(outcome: Outcome, output: Path) -> str:
    lines = [
        f"SYNTHETIC DATA: {output} is a made-up stand-in.",
        "It trains like the real data set, and says nothing about real patients.",
        *([f"The real one could not be fetched: {outcome.offline}"] if outcome.offline else []),
        "For the real one: python -m diabetes_dataset --replace, or --file FILE.",
    ]
    rule = "*" * 78
    return "\n".join([rule, *(f"*  {line}" for line in lines), rule, ""])
