"""Nothing from outside is a fault of the server: 10,000 requests that are nearly right; `nox -s fuzz` sends more."""

import subprocess
import sys
from pathlib import Path

COUNT = 10_000
_ROOT = Path(__file__).parents[3]


def test_no_request_is_answered_with_a_fault_of_the_server_or_not_at_all() -> None:
    # A process of its own: MLflow's server, whose routes it reads, warns when it is loaded.
    command = (sys.executable, "-m", "tests.fuzz", str(COUNT))
    done = subprocess.run(command, cwd=_ROOT, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{COUNT} requests"), done.stdout
