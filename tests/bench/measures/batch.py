"""Batch scoring: the driver of a batch job against a program that has all rows in memory, and the memory of both.

Each is a process of its own, which starts Python, imports MLflow and loads the model: what a user waits for.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amlocal import batch_scoring
from amlocal.batch_scoring.batch_job import SETTINGS_VARIABLE, BatchSettings
from tests.bench.figures import Figure, MeasureFailed

ROWS, MANY_ROWS, BLOCK = 3_000_000, 30_000_000, 500_000
ROUNDS = 3
_DRIVER = Path(batch_scoring.__file__).parent
_SETTINGS = BatchSettings(
    mini_batch_size=10,
    workers=2,
    max_retries=0,
    timeout_s=3600.0,
    error_threshold=0,
    logging_level="info",
    output_file="predictions.csv",
    script=None,
)
# What a data scientist writes who has the memory for it; the signature's columns are all doubles.
_IN_MEMORY = """
import sys
import mlflow.pyfunc
import pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
rows = pd.read_csv(sys.argv[2], dtype="float64")
predicted = pd.DataFrame({"prediction": model.predict(rows), "file": "rows.csv"})
predicted.to_csv(sys.argv[3], header=False)
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a program took: seconds of the clock, seconds of CPUs, memory of its largest process at its peak."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def batch() -> list[Figure]:
    """Score 3 million rows of CSV, in turn with the program that has them in memory."""
    with _table(ROWS) as folder:
        pairs = [(_in_memory(folder), _driver(folder)) for _ in range(ROUNDS)]
    ratios = tuple(driver.seconds / memory.seconds for memory, driver in pairs)
    work = tuple(driver.cpu_seconds / memory.cpu_seconds for memory, driver in pairs)
    return [
        Figure("batch job's process, 3 million rows", "s", tuple(driver.seconds for _, driver in pairs)),
        Figure("the same, as a multiple of read, predict and write in memory", "x", ratios, 1.3),
        Figure("the same of CPU time, which depends less on what else runs", "x", work),
        Figure("memory of its largest process", "MB", tuple(driver.megabytes for _, driver in pairs)),
        Figure("memory of the program that has all rows", "MB", tuple(memory.megabytes for memory, _ in pairs)),
    ]


def batch_many() -> list[Figure]:
    """Score 3 and 30 million rows, once each: the memory should be the same. Takes minutes and 2 GB of disk."""
    spent = {}
    for rows in (ROWS, MANY_ROWS):
        with _table(rows) as folder:
            spent[rows] = _driver(folder)
    few, many = spent[ROWS], spent[MANY_ROWS]
    return [
        Figure("batch job's process, 30 million rows", "s", (many.seconds,)),
        Figure("memory at 30 million rows, as a multiple of that at 3", "x", (many.megabytes / few.megabytes,), 1.1),
    ]


@contextmanager
def _table(rows: int) -> Iterator[Path]:
    """Yield a folder with a model and a table of so many rows."""
    chance = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("data", "work", "score"):
            (folder / name).mkdir()
        with (folder / "data" / "rows.csv").open("w") as file:
            for start in range(0, rows, BLOCK):
                _block(chance, min(BLOCK, rows - start)).to_csv(file, index=False, header=start == 0)
        _save_model(_block(chance, 5000), folder / "model")
        yield folder


def _block(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    counts = {f"count{number}": chance.integers(0, 200, rows) for number in range(6)}
    return pd.DataFrame(counts | {f"ratio{number}": chance.normal(30, 9, rows).round(8) for number in range(2)})


def _save_model(rows: pd.DataFrame, folder: Path) -> None:
    numbers = rows.astype("float64")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, numbers["count0"] > 100)
    signature = infer_signature(numbers, model.predict(numbers))
    mlflow.sklearn.save_model(model, str(folder), signature=signature, pip_requirements=["mlflow", "scikit-learn"])


def _driver(folder: Path) -> Spent:
    environ = {
        "AZURE_ML_INPUT_data": str(folder / "data"),
        "AZURE_ML_INPUT_model": str(folder / "model"),
        "AZURE_ML_OUTPUT_score": str(folder / "score"),
        SETTINGS_VARIABLE: json.dumps(asdict(_SETTINGS)),
    }
    output = folder / "score" / "predictions.csv"
    output.unlink(missing_ok=True)
    return _spent([sys.executable, "-W", "ignore", str(_DRIVER)], folder / "work", environ)


def _in_memory(folder: Path) -> Spent:
    paths = [str(folder / "model"), str(folder / "data" / "rows.csv"), str(folder / "whole.csv")]
    return _spent([sys.executable, "-W", "ignore", "-c", _IN_MEMORY, *paths], folder / "work", {})


def _spent(command: list[str], folder: Path, environ: Mapping[str, str]) -> Spent:
    """Run a program. Raises `MeasureFailed` when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environ}, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # the usage is of the process and those that it waited for
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise MeasureFailed(f"{command[-1]} ended with exit code {process.returncode}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # getrusage counts bytes on macOS, kilobytes on Linux
    return Spent(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)
