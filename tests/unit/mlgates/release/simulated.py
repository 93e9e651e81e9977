"""Canaries without a workspace: the real watch and verdicts, over versions that fail and answer by chance."""

import math
import random
from collections import Counter
from dataclasses import dataclass, replace

from mlgates.core.progress import Silent, Step
from mlgates.release.canary import CanaryState, WatchPlan, watch
from mlgates.release.canary_statistics import Observation
from mlgates.release.release_file import CanaryConfig, CanaryLimits

LIMITS = CanaryLimits(max_error_rate=0.02, max_median_ms=500, max_slowdown=1.5, max_difference=0.5)
CANARY = CanaryConfig()
"""Watched as on a local workspace, where there are the fewest answers to judge by."""
ROUND_S = 0.02


@dataclass(frozen=True, slots=True)
class Version:
    """What a version is like, by chance around these figures."""

    error_rate: float = 0.0
    median_ms: float = 20.0
    spread: float = 0.5
    """The standard deviation of the logarithm of an answer's time: at 0.5 one in 12 takes over twice the median."""
    difference: float = 0.25
    """The share of predictions that are others than the old version's."""


class Simulation:
    """A release of `new` over `old`: the probe that asks them, and the clock of it."""

    def __init__(self, old: Version, new: Version, seed: int) -> None:
        self._old, self._new = old, new
        self._chance = random.Random(seed)
        self._now, self._share = 0.0, 0

    def verdict(self) -> CanaryState:
        """Walk the steps; return what they end with."""
        before = Observation()
        for share in CANARY.steps:
            self._share = share
            wanted = WatchPlan(
                LIMITS,
                share=share,
                new="green",
                seconds=CANARY.seconds.local,
                extra_seconds=CANARY.extra_seconds.local,
                last=share == 100,
                before=before,
            )
            step = Step(f"canary {share} %", Silent())
            found = watch(step, wanted, self, clock=lambda: self._now, sleep=self._sleep)
            if found.verdict.state is not CanaryState.KEPT:
                return found.verdict.state
            before += found.seen
        return CanaryState.KEPT

    def round(self) -> Observation:
        """Ask both, and whoever the traffic picks."""
        self._now += ROUND_S
        new, old = self._answer(self._new), self._answer(self._old)
        chosen_new = self._chance.random() * 100 < self._share
        hit_failed = chosen_new and self._answer(self._new) is None
        answered = {"green" if chosen_new else "blue": 1}
        if new is None and old is None:
            return Observation(shared=1, answered=answered)
        asked = Observation(
            requests=1 + chosen_new,
            errors=(new is None) + hit_failed,
            requests_beside=1,
            errors_beside=int(old is None),
            answered=answered,
        )
        if new is None or old is None:
            return asked if new is None else replace(asked, alone=(new,))
        different = sum(self._chance.random() < self._new.difference for _ in range(4))
        return replace(asked, pairs=((new, old),), predictions=4, squares=16, different=different)

    def _answer(self, version: Version) -> float | None:
        """Return the milliseconds of an answer, None when there is none."""
        if self._chance.random() < version.error_rate:
            return None
        return version.median_ms * math.exp(self._chance.gauss(0, version.spread))

    def _sleep(self, seconds: float) -> None:
        self._now += seconds


KINDS = {
    "clean": [(Version(rate), Version(rate)) for rate in (0.0, 0.002, 0.005, 0.01)],
    "doubled error rate": [(Version(rate), Version(2 * LIMITS.max_error_rate)) for rate in (0.0, 0.01, 0.02)],
    "doubled latency": [(Version(rate), Version(rate, median_ms=40)) for rate in (0.0, 0.01)],
}
"""The old and the new version, by what the new one is; a canary takes one of the list after the other."""


def ends(kind: str, count: int, *, first: int = 0) -> Counter[CanaryState]:
    """Return how so many canaries of a kind end, with seeds from `first` on."""
    pairs = KINDS[kind]
    return Counter(Simulation(*pairs[seed % len(pairs)], seed).verdict() for seed in range(first, first + count))
