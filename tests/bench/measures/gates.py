"""The evaluation of the prod gate beyond the suites: a forest against the regression that serves, from local folders.

Each evaluation is a process of its own, which imports and loads all that it needs. The first finds out what is kept for
a day afterwards (expectations, requirements, types); the package index must be reachable for it.
"""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import pandas as pd

from diabetes.dataset import stand_in
from diabetes.training import Settings
from mlgates.gates.evidence import Model
from mlgates.gates.resolution import resolve
from tests.bench.figures import Figure
from tests.bench.processes import run, timed
from tests.contract.mlgates.gate_candidates import ROOT, Candidate, lines, trained, verdicts

ROUNDS = 3
_CANDIDATE, _CHAMPION, _DATA, _CACHE = "random-forest", "logistic", "diabetes.csv", "cache"


def gate() -> list[Figure]:
    """Evaluate, the first time and again."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / _DATA).write_bytes(stand_in.content())
        for estimator in (_CANDIDATE, _CHAMPION):
            made = trained(pd.read_csv(folder / _DATA), folder / estimator, Settings(estimator=estimator))
            (folder / f"{estimator}.json").write_text(json.dumps(dict(made.model.tags)))
        evaluate = partial(run, sys.executable, "-W", "ignore", "-m", __name__, str(folder))
        first = timed(evaluate)
        again = tuple(timed(evaluate) for _ in range(ROUNDS))
    return [
        Figure("prod gate evaluated, the first time for this data and these requirements", "s", (first,)),
        Figure("prod gate evaluated again, a process of its own", "s", again, 5.0),
    ]


def _evaluate(folder: Path) -> None:
    """Run the prod gate on what `gate` put into `folder`. Exits with what does not hold."""
    data = pd.read_csv(folder / _DATA)
    challenger, champion = (_found(folder / name, data) for name in (_CANDIDATE, _CHAMPION))
    results = verdicts(challenger, champion, folder / _CACHE, lambda model: resolve(model.folder, ROOT))
    if broken := list(lines(results)):
        sys.exit("\n".join(broken))


def _found(folder: Path, data: pd.DataFrame) -> Candidate:
    tags = json.loads(folder.with_suffix(".json").read_text())
    scores = {name.removeprefix("metric."): float(value) for name, value in tags.items()}
    return Candidate(Model(folder.name, folder, sha256=folder.name, tags=tags), data, scores)


if __name__ == "__main__":
    _evaluate(Path(sys.argv[1]))
