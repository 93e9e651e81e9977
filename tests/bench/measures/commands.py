"""The commands of the two packages, as whole processes."""

import sys
import tempfile

from tests.bench.figures import Figure
from tests.bench.processes import run, timed


def promote() -> list[Figure]:
    """`mlgates train --register` on a workspace that is up, second time and later."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environ = {"AMLOCAL_ROOT": folder}
        command = (sys.executable, "-m", "mlgates", "train", "--register")
        try:
            run(*command, environ=environ)
            times = tuple(timed(lambda: run(*command, environ=environ)) for _ in range(3))
        finally:
            run(sys.executable, "-m", "amlocal", "down", "--all", environ=environ)
    return [Figure("mlgates train --register, warm", "s", times)]


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
