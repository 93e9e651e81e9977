"""The command: `python -m diabetes.main --input_data FILE` trains one estimator and records the run in MLflow."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diabetes import estimators, patients
from diabetes.errors import DiabetesError
from diabetes.training import Settings

if TYPE_CHECKING:
    from diabetes.evaluation import Metrics
    from diabetes.tracking import TrackedRun


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; return the exit code, 0 or 1. Arguments that cannot be parsed exit with 2."""
    options = _parser().parse_args(arguments)
    try:
        _run(options, model_path=os.environ.get("MODEL_PATH") or "model")
    except DiabetesError as error:
        if options.debug:
            raise
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m diabetes.main", description=__doc__)
    parser.add_argument("--input_data", type=Path, required=True, metavar="FILE", help="CSV file, one patient a row")
    parser.add_argument(
        "--estimator", default=defaults.estimator, help=f"{', '.join(estimators.NAMES)} (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed, help="of the estimator (default: %(default)s)")
    parser.add_argument(
        "--split_seed",
        type=int,
        default=defaults.split_seed,
        help="of the split; change it, and models can no longer be compared (default: %(default)s)",
    )
    parser.add_argument(
        "--test_size", type=float, default=defaults.test_size, help="share of rows for the test (default: %(default)s)"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _run(options: argparse.Namespace, *, model_path: str) -> None:
    settings = Settings(
        estimator=options.estimator,
        seed=options.seed,
        split_seed=options.split_seed,
        test_size=options.test_size,
    )
    table = patients.read(options.input_data)
    # MLflow takes seconds to import: help and refusals come without it.
    from diabetes import tracking  # noqa: PLC0415

    outcome, run = tracking.track(table, settings, model_path=model_path)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # an address may hold what the terminal cannot show
    sys.stdout.write(_summary(settings, outcome.metrics, run))


def _summary(settings: Settings, metrics: "Metrics", run: "TrackedRun") -> str:
    rows = {
        "estimator": settings.estimator,
        **{name: f"{value:.4f}" for name, value in metrics.as_dict().items()},
        "run": f"{run.run_id} in experiment {run.experiment_id}",
        "model": run.model_uri,
        "tracking": run.tracking_uri,
    }
    return "".join(f"{name:<10} {value}\n" for name, value in rows.items())


if __name__ == "__main__":
    sys.exit(main())
