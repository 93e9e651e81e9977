"""Fuzzing: `python -m tests.fuzz [COUNT] [--seed N]` sends requests to a new workspace; nothing may be a 5xx."""

import argparse
import sys
import time

from tests.fuzz.campaign import Memory, complaints, fuzz, report
from tests.fuzz.sender import Findings

_MILLION = 1_000_000
_TELL_S = 10.0


def main() -> int:
    """Run a campaign; return the exit code, 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=_MILLION, help="how many requests (default: a million)")
    parser.add_argument("--seed", type=int, default=0, help="another number gives other requests (default: 0)")
    arguments = parser.parse_args()
    started = reported = time.monotonic()

    def tell(findings: Findings, memory: Memory) -> None:
        nonlocal reported
        now = time.monotonic()
        if now - reported > _TELL_S:
            reported = now
            rate = findings.sent / (now - started)
            sys.stderr.write(
                f"{findings.sent} of {arguments.count} requests, {rate:.0f} a second, {memory.after / 2**20:.0f} MB, "
                f"{len(findings.faults)} faults\n"
            )

    findings, memory = fuzz(arguments.count, chance=arguments.seed, tell=tell)
    sys.stdout.write(report(findings, memory, time.monotonic() - started) + "\n")
    found = complaints(findings, memory)
    sys.stdout.write("".join(f"{complaint}\n" for complaint in found))
    return 1 if findings.faults or found else 0


if __name__ == "__main__":
    sys.exit(main())
