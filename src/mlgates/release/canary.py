"""The plan of a canary, and what was seen of it so far. No I/O."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mlgates.release.declaration import ALL


@dataclass(frozen=True, slots=True)
class Split:
    """How the traffic is shared between the version that is on its way and the one that serves."""

    new: str
    """The name of a deployment, as `old` is."""
    old: str
    share: int
    """Percent for the new one, from 0 to 100."""
    baseline: str | None = None
    """A fresh deployment of the version that serves: it gets as much as the new one, as long as there is so much."""

    @property
    def traffic(self) -> dict[str, int]:
        """Percent by deployment; one without any is left out."""
        beside = min(self.share, ALL - self.share) if self.baseline else 0
        shares = ((self.new, self.share), (self.baseline or "", beside), (self.old, ALL - self.share - beside))
        return {name: share for name, share in shares if share}

    @property
    def beside(self) -> str:
        """The deployment that the new one is compared with."""
        return self.baseline or self.old


def steps_left(steps: Sequence[int], share: int) -> tuple[int, ...]:
    """Return the steps that are still to be gone when the new version has `share`.

    The one that it is on is gone again: an interrupted release may not have watched it to its end.
    """
    return tuple(step for step in steps if step >= share)


def following(split: Split, steps: Sequence[int], *, broken: bool) -> Split:
    """Return the split that follows: the next step up, or everything back to the old version."""
    if broken:
        return Split(split.new, split.old, 0)
    return Split(split.new, split.old, next((step for step in steps if step > split.share), ALL), split.baseline)


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
        """One phrase for a person."""
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
