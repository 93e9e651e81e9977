"""The evaluation of the prod gate beyond the suites: a forest against the regression that serves, from local folders.

Each evaluation is a process of its own, which has MLflow imported, as the command has when it comes to its checks, and
loads both models. The first finds out what is kept for a day afterwards (expectations, requirements, types); it needs
the package index.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from diabetes.training import Settings
from diabetes_dataset import stand_in
from mlgates.evaluation.model import Model
from mlgates.gates.resolution import resolve
from tests.bench.figures import Figure
from tests.bench.processes import run
from tests.contract.mlgates.gate_candidates import ROOT, Candidate, lines, trained, verdicts

ROUNDS = 3
_CANDIDATE, _CHAMPION, _DATA, _CACHE, _SECONDS = "random-forest", "logistic", "diabetes.csv", "cache", "seconds"


def gate() -> list[Figure]:
    """Evaluate, the first time and again."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / _DATA).write_bytes(stand_in.content())
        for estimator in (_CANDIDATE, _CHAMPION):
            made = trained(pd.read_csv(folder / _DATA), folder / estimator, Settings(estimator=estimator))
            (folder / f"{estimator}.json").write_text(json.dumps(dict(made.model.tags)))
        first, *again = (_evaluated(folder) for _ in range(1 + ROUNDS))
    return [
        Figure("prod gate evaluated, the first time for this data and these requirements", "s", (first,)),
        Figure("prod gate evaluated again", "s", tuple(again), 5.0),
    ]


def _evaluated(folder: Path) -> float:
    run(sys.executable, "-W", "ignore", "-m", __name__, str(folder))
    return float((folder / _SECONDS).read_text())


def _evaluate(folder: Path) -> None:
    """Run the prod gate on what `gate` put into `folder`, and keep how long it took. Exits with what does not hold."""
    data = pd.read_csv(folder / _DATA)
    challenger, champion = (_found(folder / name, data) for name in (_CANDIDATE, _CHAMPION))
    began = time.perf_counter()
    results = verdicts(challenger, champion, folder / _CACHE, lambda model: resolve(model.folder, ROOT))
    (folder / _SECONDS).write_text(str(time.perf_counter() - began))
    if broken := list(lines(results)):
        sys.exit("\n".join(broken))


def _found(folder: Path, data: pd.DataFrame) -> Candidate:
    tags = json.loads(folder.with_suffix(".json").read_text())
    scores = {name.removeprefix("metric."): float(value) for name, value in tags.items()}
    return Candidate(Model(folder.name, folder, sha256=folder.name, tags=tags), data, scores)


if __name__ == "__main__":
    _evaluate(Path(sys.argv[1]))
