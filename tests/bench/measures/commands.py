"""The commands of the two packages, as whole processes."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.processes import run, timed

_ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def _project() -> Iterator[Callable[..., None]]:
    """Yield what runs mlgates on a copy of the project, whose local workspaces are its own and end with it."""
    run_module = partial(run, sys.executable, "-m")
    run_module("diabetes_dataset")  # the training set is in place from now on
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for part in ("mlops", "data", "src/diabetes"):
            shutil.copytree(_ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            yield lambda *command: run_module("mlgates", *command, "--project", name)
        finally:
            run_module("amlocal", "down", "--all", "--root", str(folder / ".amlocal"))


def promote() -> list[Figure]:
    """`mlgates train --register` on a workspace that is up, second time and later."""
    with _project() as mlgates:
        train = partial(mlgates, "train", "--register")
        train()
        times = tuple(timed(train) for _ in range(3))
    return [Figure("mlgates train --register, warm", "s", times)]


def dev_gate() -> list[Figure]:
    """Train, register, deploy to both endpoints and try both, on a workspace that is up, second time and later."""
    with _project() as mlgates:

        def gate() -> None:
            mlgates("train", "--register")
            mlgates("deploy", "--test")

        gate()
        times = tuple(timed(gate) for _ in range(2))
    return [Figure("dev gate: train, register, deploy both, try both, warm", "s", times, 30)]


def integration() -> list[Figure]:
    """The integration suite as `nox -s integration` runs it, on a fresh local workspace that it trains itself."""
    run(sys.executable, "-m", "diabetes_dataset")
    suite = partial(run, sys.executable, "-m", "pytest", "-q", "tests/integration")
    return [Figure("integration suite, fresh local workspace", "s", (timed(suite),), 60)]


def help_pages() -> list[Figure]:
    """`--help` of both commands, as whole processes."""
    return [
        Figure(
            f"{package} --help",
            "s",
            tuple(timed(lambda package=package: run(sys.executable, "-m", package, "--help")) for _ in range(7)),  # type: ignore[misc]
            0.3,
        )
        for package in ("amlocal", "mlgates")
    ]
