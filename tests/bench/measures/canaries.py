"""Simulated canaries: how often a release as good as the version before is broken off, and a bad one let through."""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from mlgates.release.canary import CanaryState
from tests.bench.figures import Figure
from tests.unit.mlgates.release.simulated import KINDS, ends

COUNT = 10_000
"""Of each kind."""
_PART = 500


def canaries() -> list[Figure]:
    """Simulate them, seeded, with the code that decides over a release; a process a core."""
    clean = _ended("clean")
    figures = [
        Figure(
            f"of {COUNT:,} clean canaries broken off", "%", (_percent(clean, clean.keys() - {CanaryState.KEPT}),), 1.0
        )
    ]
    for kind in [kind for kind in KINDS if kind != "clean"]:
        missed = _percent(_ended(kind), {CanaryState.KEPT})
        figures.append(Figure(f"of {COUNT:,} canaries with {kind} let through", "%", (missed,), 1.0))
    return figures


def _ended(kind: str) -> Counter[CanaryState]:
    starts = range(0, COUNT, _PART)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        parts = pool.map(_part, [kind] * len(starts), starts)
        return sum(parts, Counter[CanaryState]())


def _part(kind: str, first: int) -> Counter[CanaryState]:
    return ends(kind, _PART, first=first)


def _percent(ended: Counter[CanaryState], states: "set[CanaryState]") -> float:
    return 100 * sum(ended[state] for state in states) / ended.total()
