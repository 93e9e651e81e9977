"""What was observed of a canary, and how sure a share of it is: an interval that may be looked at at any time. No I/O.

A canary is looked at again and again, and an ordinary interval (Clopper and Pearson's) is wrong in one of its looks far
more often than it says. These bounds are a confidence sequence: the true share stays within them at every look, but for
the stated doubt (Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021). The evidence against a share is the
likelihood of all shares, weighed by Jeffreys' prior (Krichevsky, Trofimov 1981), over that of the one; under the true
share it exceeds 1/doubt at any time with no more than the doubt (Ville's inequality).
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_LOG_PI = math.log(math.pi)
_STEPS = 40
"""Of the bisection for a bound: 12 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was seen of two deployments, the new one and the old one, that were asked the same by turns."""

    requests: int = 0
    """How often the new one was asked, without those of `shared`."""
    errors: int = 0
    """How often it gave no answer, or one other than 200 with predictions."""
    requests_beside: int = 0
    """How often the old one was asked, without those of `shared`."""
    errors_beside: int = 0
    shared: int = 0
    """Requests that failed at both: not the new version's fault, and nothing that it could be judged by."""
    pairs: tuple[tuple[float, float], ...] = ()
    """Milliseconds of the new one's and of the old one's answer to the same request."""
    alone: tuple[float, ...] = ()
    """Milliseconds of the new one's answers to requests that the old one failed."""
    predictions: int = 0
    """Both were asked for, row by row."""
    different: int = 0
    """Those of them that differ."""
    squares: int = 0
    """The sum of the squares of the predictions of a request: rows of one request are no answers of their own."""
    answered: Mapping[str, int] = field(default_factory=dict)
    """Requests that left the choice to the traffic, by the deployment that answered them."""

    def __add__(self, other: "Observation") -> "Observation":
        return total((self, other))

    @property
    def milliseconds(self) -> tuple[float, ...]:
        """Of the new one's answers."""
        return tuple(new for new, _ in self.pairs) + self.alone

    @property
    def beside(self) -> tuple[float, ...]:
        """Of the old one's."""
        return tuple(old for _, old in self.pairs)

    @property
    def answers(self) -> int:
        """How many requests both have answered, and were timed in."""
        return len(self.pairs)

    @property
    def answers_of_new(self) -> int:
        """How many the new one has answered, and was timed in."""
        return len(self.pairs) + len(self.alone)

    @property
    def effective(self) -> float:
        """The number of requests of equal size that show the differences as well (Kish's effective sample size)."""
        return self.predictions**2 / self.squares if self.squares else 0.0

    @property
    def error_rate(self) -> float:
        """Errors a request, from 0 to 1."""
        return self.errors / self.requests if self.requests else 0.0

    @property
    def difference(self) -> float:
        """The share of predictions that differ, from 0 to 1."""
        return self.different / self.predictions if self.predictions else 0.0

    @property
    def summary(self) -> str:
        """In one phrase."""
        parts = [f"{self.requests} requests, {self.errors} errors"]
        if self.errors_beside:
            parts.append(f"{self.errors_beside} of {self.requests_beside} failed at the old version")
        if self.shared:
            parts.append(f"{self.shared} failed at both")
        if self.milliseconds:
            beside = f" beside {statistics.median(self.beside):.1f} ms" if self.pairs else ""
            parts.append(f"median {statistics.median(self.milliseconds):.1f} ms{beside}")
        if self.predictions:
            parts.append(f"{self.different} of {self.predictions} predictions differ")
        return ", ".join(parts)


def total(seen: Iterable[Observation]) -> Observation:
    """Add up what was seen."""
    parts, answered = list(seen), dict[str, int]()
    for part in parts:
        for name, count in part.answered.items():
            answered[name] = answered.get(name, 0) + count
    return Observation(
        requests=sum(part.requests for part in parts),
        errors=sum(part.errors for part in parts),
        requests_beside=sum(part.requests_beside for part in parts),
        errors_beside=sum(part.errors_beside for part in parts),
        shared=sum(part.shared for part in parts),
        pairs=tuple(pair for part in parts for pair in part.pairs),
        alone=tuple(time for part in parts for time in part.alone),
        predictions=sum(part.predictions for part in parts),
        different=sum(part.different for part in parts),
        squares=sum(part.squares for part in parts),
        answered=answered,
    )


def evidence(count: float, of: float, share: float) -> float:
    """Return the logarithm of the evidence that `count` of `of` is against `share`; infinite when it cannot be."""
    other = of - count
    if (share <= 0 and count > 0) or (share >= 1 and other > 0):
        return math.inf
    likelihood = (count * math.log(share) if count else 0.0) + (other * math.log1p(-share) if other else 0.0)
    return math.lgamma(count + 0.5) + math.lgamma(other + 0.5) - math.lgamma(of + 1) - _LOG_PI - likelihood


def is_above(count: float, of: float, share: float, *, doubt: float) -> bool:
    """Return whether the true share is above `share`, with no more than `doubt`."""
    return count > share * of and evidence(count, of, share) >= -math.log(doubt)


def is_below(count: float, of: float, share: float, *, doubt: float) -> bool:
    """Return whether the true share is below `share`, with no more than `doubt`."""
    return count < share * of and evidence(count, of, share) >= -math.log(doubt)


def interval(count: float, of: float, *, doubt: float) -> tuple[float, float]:
    """Return the shares that are not excluded, from 0 to 1; all of them while nothing was counted."""
    if not of:
        return 0.0, 1.0
    found = count / of
    low = 0.0 if count <= 0 else _bound(count, of, inside=found, outside=0.0, doubt=doubt)
    high = 1.0 if count >= of else _bound(count, of, inside=found, outside=1.0, doubt=doubt)
    return low, high


def middle(values: Sequence[float], *, doubt: float) -> tuple[float, float]:
    """Return the interval of the median: the values whose ranks a share of one half does not exclude.

    Open at an end where there are too few: minus or plus infinity.
    """
    ordered, of = sorted(values), len(values)
    rank = next((rank for rank in range(of // 2, -1, -1) if is_below(rank, of, 0.5, doubt=doubt)), None)
    if rank is None:
        return -math.inf, math.inf
    return ordered[rank], ordered[of - 1 - rank]


def _bound(count: float, of: float, *, inside: float, outside: float, doubt: float) -> float:
    """Return where, between a share that is not excluded and one that is, the evidence becomes enough."""
    enough = -math.log(doubt)
    for _ in range(_STEPS):
        tried = (inside + outside) / 2
        if evidence(count, of, tried) >= enough:
            outside = tried
        else:
            inside = tried
    return outside
