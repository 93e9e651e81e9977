"""The commands of the two packages, as whole processes."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.bench.figures import Figure
from tests.bench.processes import run, timed


@contextmanager
def _workspaces() -> Iterator[Callable[..., None]]:
    """Yield what runs a module of Python as a command, its workspaces in a folder of their own, ended afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run_module = partial(run, sys.executable, "-m", environ={"AMLOCAL_ROOT": folder})
        run_module("diabetes.dataset")  # the training set is in place from now on
        try:
            yield run_module
        finally:
            run_module("amlocal", "down", "--all")


def promote() -> list[Figure]:
    """`mlgates train --register` on a workspace that is up, second time and later."""
    with _workspaces() as run_module:
        train = partial(run_module, "mlgates", "train", "--register")
        train()
        times = tuple(timed(train) for _ in range(3))
    return [Figure("mlgates train --register, warm", "s", times)]


def dev_gate() -> list[Figure]:
    """Train, register, deploy to both endpoints and try both, on a workspace that is up, second time and later."""
    with _workspaces() as run_module:

        def gate() -> None:
            run_module("mlgates", "train", "--register")
            run_module("mlgates", "deploy", "--test")

        gate()
        times = tuple(timed(gate) for _ in range(2))
    return [Figure("dev gate: train, register, deploy both, try both, warm", "s", times, 30)]


def integration() -> list[Figure]:
    """The integration suite as `nox -s integration` runs it, on a fresh local workspace that it trains itself."""
    with _workspaces() as run_module:
        times = (timed(lambda: run_module("pytest", "-q", "tests/integration")),)
    return [Figure("integration suite, fresh local workspace", "s", times, 60)]


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
