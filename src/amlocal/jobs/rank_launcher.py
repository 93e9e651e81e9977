"""Runs the processes of a distributed job at once: the first that fails ends the others, and the job.

Run as a script below the supervisor: `python -I -S rank_launcher.py PLAN`. PLAN is a file of JSON with the `command`,
as a list, and the `processes`, each with its `environ`, its `log` and whether it is `awaited`. The log of the process
that failed first is named in a file beside it, PLAN with `.failed` at its end.
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

_PAUSE_S = 0.02
_STOPS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def _start(command: list[str], spec: dict[str, Any]) -> subprocess.Popen[bytes]:
    with open(spec["log"], "ab") as log:  # noqa: PTH123 - pathlib would double the time that this takes to start
        # A group of its own, so that what a process has started can be ended with it.
        return subprocess.Popen(  # noqa: S603 - the job itself
            command,
            env={**os.environ, **spec["environ"]},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )


def _send(processes: list[subprocess.Popen[bytes]], number: int) -> None:
    for process in processes:
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            continue


def _end(processes: list[subprocess.Popen[bytes]], grace_s: float) -> None:
    """Ask processes to end, and make them after a while."""
    _send(processes, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(process.poll() is None for process in processes):
        time.sleep(_PAUSE_S)
    _send(processes, signal.SIGKILL)


def _code(process: subprocess.Popen[bytes]) -> int:
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def main(path: str, grace_s: float = 10.0) -> int:
    """Run the processes of a plan; return 0, or the exit code of the one that failed first (above 128: a signal)."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
        plan = json.load(file)
    specs = plan["processes"]
    processes: list[subprocess.Popen[bytes]] = []
    for number in _STOPS:  # the supervisor asks this group alone
        signal.signal(number, lambda got, _: _send(processes, got))
    processes.extend(_start(plan["command"], spec) for spec in specs)
    awaited = [process for process, spec in zip(processes, specs, strict=True) if spec["awaited"]]
    while any(process.poll() is None for process in awaited) and not any(process.poll() for process in processes):
        time.sleep(_PAUSE_S)
    failed = next((place for place, process in enumerate(processes) if process.poll()), None)
    _end([process for process in processes if process.poll() is None], grace_s)
    if failed is None:
        return 0
    code = _code(processes[failed])
    others = "the others were ended"
    sys.stdout.write(f"[amlocal] process {failed} of {len(specs)} ended with exit code {code}; {others}\n")
    with open(f"{path}.failed", "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
        file.write(specs[failed]["log"])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
