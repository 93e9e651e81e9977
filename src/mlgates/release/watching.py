"""How long a step of a canary is watched: for its time and its answers, to the end, or until a limit is broken."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from mlgates.core.progress import Step
from mlgates.release.canary import Observation, total
from mlgates.release.declaration import Limits
from mlgates.release.intervals import is_above
from mlgates.release.verdicts import BEYOND_DOUBT, Stage, State, Verdict, judge

PAUSE_S = 0.1
"""From one round of requests to the next, if there is time for it: a probe is a caller among others, and no load."""
_LATER, _SOON = 1.1, 1.05
"""The evidence is looked at again once there is so much of it, as a multiple; soon when only the verdict is missing."""
_TOLD_S = 1.0
"""From one word on where the watch is to the next."""
_NOTHING = Observation()
_SPARE = 10
"""So many rounds more than the answers that are needed are made at least: the first ones are not timed."""


class Asks(Protocol):
    """What asks both versions; a `probe.Probe`, or a simulation of one."""

    def round(self) -> Observation:
        """Ask each once."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """A step to be watched."""

    limits: Limits
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


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of a step, and what that says."""

    seen: Observation
    verdict: Verdict

    @property
    def summary(self) -> str:
        """One phrase for a person."""
        return self.seen.summary


def watch(
    step: Step,
    wanted: Watch,
    probe: Asks,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Watched:
    """Ask for the declared time, for the declared number of answers, and until there is a verdict; return it.

    Only a limit that is broken ends the watch before. Without a verdict at the end of the extra time it is `OPEN`.
    """
    began, looks, seen, unseen = clock(), _Looks(wanted), Observation(), list[Observation]()
    pace, tell_at = min(PAUSE_S, wanted.seconds / wanted.limits.least), began
    while True:
        started = clock()
        unseen.append(probe.round())
        passed = clock() - began
        over = passed >= wanted.seconds
        due = looks.due(unseen[-1], over=over)
        ended = passed >= wanted.seconds + wanted.extra_seconds and looks.rounds >= wanted.limits.least + _SPARE
        if due or ended:
            seen, unseen = total([seen, *unseen]), []
            stage = Stage(wanted.share, wanted.new, wanted.last, over, wanted.compared)
            whole = wanted.before + seen if wanted.before != _NOTHING else seen
            verdict = judge(seen, whole, wanted.limits, stage)
            decided = ended or verdict.state is State.BROKEN or (over and verdict.state is State.KEPT)
            if decided or clock() >= tell_at:
                step.note(seen.summary)
                tell_at = clock() + _TOLD_S
            if decided:
                return Watched(seen, verdict)
        if (rest := pace - (clock() - started)) > 0:
            sleep(rest)


class _Looks:
    """When the evidence is worth a look: it costs time that grows with it."""

    def __init__(self, wanted: Watch) -> None:
        self._limits = wanted.limits
        self.rounds = self._requests = self._errors = self._answers = 0
        self._next = 0.0
        self._was_over = False

    def due(self, latest: Observation, *, over: bool) -> bool:
        """Count one more round in, and tell whether to look now."""
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
