"""How long a step of a canary is monitored, and whether it keeps its limits: broken, kept, or undecided.

Every limit is a share of what was counted: failed requests, answers slower than allowed (of which half may be, when a
median is limited), predictions that differ. A limit is broken when the interval of the share lies above it. To go on,
the share itself must be at or below the limit, of `limits.requests` answers of each version at least; before a release
ends, a rate of failures that is twice the limit must be excluded too.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Protocol, TypeAlias

from mlgates.core.progress import Step
from mlgates.release.canary_statistics import Observation, interval, is_above, is_below, middle, total
from mlgates.release.release_file import ALL, CanaryLimits

PAUSE_S = 0.1
"""From one round of requests to the next, if there is time for it: a probe is a caller among others, and no load."""
_LATER, _SOON = 1.1, 1.05
"""The evidence is looked at again once there is so much of it, as a multiple; soon when only the verdict is missing."""
_NOTE_S = 1.0
"""From one note of progress to the next."""
_NOTHING = Observation()
_SPARE = 10
"""So many rounds more than the answers that are needed are made at least: the first ones are not timed."""
BEYOND_DOUBT = 0.001
"""The chance that a version which keeps a limit is said to break it, at any of the looks at one step."""
MISSED = 0.01
"""The chance that a version which fails twice as often as it may is let through."""
LEAST_EXCLUDED = 0.04
"""Twice the limit is excluded, but no rate below this: each half of it would take twice the requests."""
_HALF = 0.5
Explain: TypeAlias = Callable[[], str]
"""Says something with its figures: medians and intervals take time, and most looks need none."""


class VersionProbe(Protocol):
    """What asks both versions; a `probe.Probe`, or a simulation of one."""

    def round(self) -> Observation:
        """Ask each once."""
        ...


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """A step to be monitored."""

    limits: CanaryLimits
    share: int
    """Percent of the traffic that the new version has."""
    new: str
    """Its deployment."""
    seconds: float
    """Watched for so long at least."""
    extra_seconds: float
    """And so much longer at most, while there is no verdict."""
    last: bool
    """True when the release ends with this step."""
    before: Observation = field(default_factory=Observation)
    """What was seen at the steps before."""
    compared: bool = True
    """False when the new version may be judged alone, should the old one not answer."""


class CanaryState(StrEnum):
    """What can be said of a step."""

    BROKEN = "broken"
    KEPT = "kept"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class CanaryVerdict:
    """The state of a step; `explanations`, once called, say which limits are broken, or why there is no verdict."""

    state: CanaryState
    explanations: tuple[Explain, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """A phrase for each, with figure, limit and interval."""
        return tuple(explain() for explain in self.explanations)


@dataclass(frozen=True, slots=True)
class StepPhase:
    """Where in a release, and when in a step, a verdict is asked for."""

    share: int
    """Percent of the traffic that the new version has."""
    new: str
    """Its deployment."""
    last: bool
    """True when the release ends with this step."""
    over: bool
    """True when the declared time has passed."""
    compared: bool = True
    """False when the new version may be judged alone, should the old one not answer."""


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What was seen of a step, and what that says."""

    seen: Observation
    verdict: CanaryVerdict

    @property
    def summary(self) -> str:
        """In one phrase."""
        return self.seen.summary


class _LookSchedule:
    """When the evidence is worth a look: it costs time that grows with it."""

    def __init__(self, wanted: WatchPlan) -> None:
        self._limits = wanted.limits
        self.rounds = self._requests = self._errors = self._answers = 0
        self._next = 0.0
        self._was_over = False

    def needed(self, latest: Observation, *, over: bool) -> bool:
        """Count one more round in, and return whether to look now."""
        self.rounds += 1
        self._requests += latest.requests
        self._errors += latest.errors
        self._answers += latest.answers_of_new
        limit = self._limits.max_error_rate
        failing = bool(latest.errors) and is_above(self._errors, self._requests, limit, doubt=BEYOND_DOUBT)
        enough = bool(latest.answers_of_new) and self._answers == self._limits.least
        turned, self._was_over = over and not self._was_over, over
        if not (failing or enough or turned or self.rounds >= self._next):
            return False
        self._next = self.rounds * (_SOON if over else _LATER)
        return True


@dataclass(frozen=True, slots=True)
class _Measure:
    """A share that is limited."""

    count: float
    of: float
    limit: float
    explain: Explain

    @property
    def broken(self) -> bool:
        return is_above(self.count, self.of, self.limit, doubt=BEYOND_DOUBT)

    @property
    def exceeded(self) -> bool:
        return self.count > self.limit * self.of


def watch(
    step: Step,
    wanted: WatchPlan,
    probe: VersionProbe,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> WatchResult:
    """Ask for the declared time, for the declared number of answers, and until there is a verdict; return it.

    Only a limit that is broken ends the watch before. Without a verdict at the end of the extra time it is `OPEN`.
    """
    began, looks, seen, unseen = clock(), _LookSchedule(wanted), Observation(), list[Observation]()
    pace, note_at = min(PAUSE_S, wanted.seconds / wanted.limits.least), began
    while True:
        started = clock()
        unseen.append(probe.round())
        passed = clock() - began
        over = passed >= wanted.seconds
        needed = looks.needed(unseen[-1], over=over)
        ended = passed >= wanted.seconds + wanted.extra_seconds and looks.rounds >= wanted.limits.least + _SPARE
        if needed or ended:
            seen, unseen = total([seen, *unseen]), []
            stage = StepPhase(wanted.share, wanted.new, wanted.last, over, wanted.compared)
            whole = wanted.before + seen if wanted.before != _NOTHING else seen
            verdict = judge(seen, whole, wanted.limits, stage)
            decided = ended or verdict.state is CanaryState.BROKEN or (over and verdict.state is CanaryState.KEPT)
            if decided or clock() >= note_at:
                step.note(seen.summary)
                note_at = clock() + _NOTE_S
            if decided:
                return WatchResult(seen, verdict)
        if (rest := pace - (clock() - started)) > 0:
            sleep(rest)


def judge(step: Observation, whole: Observation, limits: CanaryLimits, stage: StepPhase) -> CanaryVerdict:
    """Return what can be said of a step; `whole` is what was seen since the traffic began to move, this step included.

    Before there are enough answers only failures count, and once the time is over answers that are so slow that there
    are not enough of them yet.
    """
    lacking = _lacking(step, limits, stage)
    failures, others = _failures(step, limits), tuple(_others(step, limits))
    broken = tuple(_broken(failures, others if stage.over or not lacking else ()))
    if not broken and whole is not step:
        broken = tuple(_broken(_failures(whole, limits), () if lacking else tuple(_others(whole, limits))))
    if broken and _is_as_bad_beside(whole, limits):
        return CanaryVerdict(CanaryState.OPEN, (partial(_beside_too, whole),))
    if broken:
        return CanaryVerdict(CanaryState.BROKEN, broken)
    exceeded = (measure.explain for measure in (failures, *others) if measure.exceeded)
    unsure = (*((lacking,) if lacking else ()), *exceeded, *_unsure(step, whole, limits, stage))
    return CanaryVerdict(CanaryState.OPEN, unsure) if unsure else CanaryVerdict(CanaryState.KEPT)


def _lacking(step: Observation, limits: CanaryLimits, stage: StepPhase) -> Explain | None:
    """Return which answers a verdict lacks; None when there are enough."""
    of_new = step.answers_of_new >= limits.least
    if step.answers >= limits.least or (of_new and not stage.compared):
        return None

    def explain() -> str:
        text = f"{step.answers} requests were answered by both versions, {limits.least} are needed"
        text += f", {step.shared} requests failed at both" if step.shared else ""
        if not (of_new and step.errors_beside):
            return text
        failed = f"{step.errors_beside} of {step.requests_beside} failed at the version that serves"
        return f"{text}, {failed}; --no-canary judges the new one alone"

    return explain


def _broken(failures: _Measure, others: Sequence[_Measure]) -> Iterator[Explain]:
    return (measure.explain for measure in (failures, *others) if measure.broken)


def _is_as_bad_beside(whole: Observation, limits: CanaryLimits) -> bool:
    """Return whether the old version breaks the limit of failures too, and the new one is not known to be worse."""
    old = (whole.errors_beside, whole.requests_beside)
    if not (_failures(whole, limits).broken and is_above(*old, limits.max_error_rate, doubt=BEYOND_DOUBT)):
        return False
    return interval(whole.errors, whole.requests, doubt=MISSED)[0] <= interval(*old, doubt=MISSED)[1]


def _beside_too(whole: Observation) -> str:
    return (
        f"{whole.errors} of {whole.requests} requests failed, and so did {whole.errors_beside} of "
        f"{whole.requests_beside} at the version that serves: that is no fault of the new one"
    )


def _unsure(step: Observation, whole: Observation, limits: CanaryLimits, stage: StepPhase) -> Iterator[Explain]:
    # Of what may fail at all: where nothing may, one failure has said it.
    excluded = max(2 * limits.max_error_rate, LEAST_EXCLUDED) if limits.max_error_rate else 1.0
    if stage.last and excluded < 1 and not is_below(whole.errors, whole.requests, excluded, doubt=MISSED):
        yield partial(_not_excluded, whole, excluded)
    chosen = sum(step.answered.values())
    # With so many and none for the new version, the traffic has not moved: what was seen is not what callers get.
    if stage.share and not step.answered.get(stage.new) and (1 - stage.share / ALL) ** chosen < BEYOND_DOUBT:
        yield partial(_without_traffic, stage, chosen)


def _not_excluded(whole: Observation, excluded: float) -> str:
    most = interval(whole.errors, whole.requests, doubt=MISSED)[1]
    return (
        f"{whole.errors} of {whole.requests} requests failed in all, so it may be {most:.1%} of them, and "
        f"{excluded:.1%} is not excluded"
    )


def _without_traffic(stage: StepPhase, chosen: int) -> str:
    return (
        f"{stage.new} has {stage.share} % of the traffic, and none of {chosen} requests came to it: "
        "without traffic there is nothing to judge"
    )


def _failures(seen: Observation, limits: CanaryLimits) -> _Measure:
    def explain() -> str:
        found = f"{seen.errors} of {seen.requests} requests failed, at most {limits.max_error_rate:.2%} may"
        return f"{found}{_sure(seen.errors, seen.requests)}"

    return _Measure(seen.errors, seen.requests, limits.max_error_rate, explain)


def _others(seen: Observation, limits: CanaryLimits) -> Iterator[_Measure]:
    """Yield what is limited of answers that came."""
    longest, slowdown, difference = limits.max_median_ms, limits.max_slowdown, limits.max_difference
    if seen.answers_of_new and longest is not None:
        slow = sum(new > longest for new, _ in seen.pairs) + sum(new > longest for new in seen.alone)
        yield _Measure(slow, seen.answers_of_new, _HALF, partial(_slow, seen, longest))
    if seen.pairs and slowdown is not None:
        slow = sum(new > slowdown * old for new, old in seen.pairs)
        yield _Measure(slow, seen.answers, _HALF, partial(_slower, seen, slowdown))
    if seen.predictions and difference is not None:
        count, of = seen.difference * seen.effective, seen.effective
        yield _Measure(count, of, difference, partial(_unlike, seen, difference))


def _slow(seen: Observation, limit: float) -> str:
    low, high = middle(seen.milliseconds, doubt=MISSED)
    found = f"its median answer takes {statistics.median(seen.milliseconds):.0f} ms, at most {limit:g} ms are allowed"
    return f"{found} (99 % sure: {low:.0f} to {high:.0f})"


def _slower(seen: Observation, limit: float) -> str:
    ratios = [new / old if old else math.inf for new, old in seen.pairs]
    low, high = middle(ratios, doubt=MISSED)
    new, old = statistics.median(seen.milliseconds), statistics.median(seen.beside)
    return (
        f"its median answer takes {new:.0f} ms, {statistics.median(ratios):.1f} times the old version's {old:.0f} ms, "
        f"at most {limit:g} times are allowed (99 % sure: {low:.1f} to {high:.1f})"
    )


def _unlike(seen: Observation, limit: float) -> str:
    found = f"{seen.different} of {seen.predictions} predictions differ from the old version's, at most {limit:.0%} may"
    return f"{found}{_sure(seen.difference * seen.effective, seen.effective)}"


def _sure(count: float, of: float) -> str:
    low, high = interval(count, of, doubt=MISSED)
    return f" (99 % sure: {low:.1%} to {high:.1%})"
