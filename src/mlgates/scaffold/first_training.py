"""A first training of a made project, on several splits, so that limits come from figures: run as a program.

`python first_training.py PACKAGE DATA` prints, by estimator, what each split scored, how large the model is, and which
types are in it that skops does not trust. It imports nothing of mlgates: a training job does not either.
"""

import importlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import skops.io

SPLITS = 5
ROWS = 20_000
"""More rows than these change no limit, and take long."""
SECONDS = 40.0
"""No further split of an estimator begins after so long; the first is always made."""


def main(package: str, data: str) -> None:
    """Print the figures as JSON."""
    table, training = (importlib.import_module(f"{package}.{name}") for name in ("table", "training"))
    rows = table.read(Path(data))
    if len(rows) > ROWS:
        rows = rows.sample(ROWS, random_state=0)
    began = time.monotonic()
    sys.stdout.write(json.dumps({name: _scored(training, rows, name, began) for name in training.ESTIMATORS}))


def _scored(training: Any, rows: Any, estimator: str, began: float) -> dict[str, Any]:
    scores: list[dict[str, float]] = []
    stored = b""
    for seed in range(SPLITS):
        if scores and time.monotonic() - began > SECONDS:
            break
        outcome = training.train(rows, training.Settings(estimator=estimator, split_seed=seed))
        scores.append(outcome.metrics)
        stored = stored or skops.io.dumps(outcome.model)
    return {"scores": scores, "bytes": len(stored), "types": skops.io.get_untrusted_types(data=stored)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of solvers that do not converge: the figures tell how good they are
    main(*sys.argv[1:])
