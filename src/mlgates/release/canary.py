"""The plan of a canary: from what was declared and what was seen to the next share of traffic. No I/O."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mlgates.release.declaration import ALL, Limits


@dataclass(frozen=True, slots=True)
class Split:
    """How the traffic is shared between the version that is on its way and the one that serves."""

    new: str
    """The name of a deployment, as `old` is."""
    old: str
    share: int
    """Percent for the new one, from 0 to 100."""

    @property
    def traffic(self) -> dict[str, int]:
        """Percent by deployment; one without any is left out."""
        return {name: share for name, share in ((self.new, self.share), (self.old, ALL - self.share)) if share}


def steps_left(steps: Sequence[int], share: int) -> tuple[int, ...]:
    """Return the steps that are still to be gone when the new version has `share`.

    The one that it is on is gone again: an interrupted release may not have watched it to its end.
    """
    return tuple(step for step in steps if step >= share)


def following(split: Split, steps: Sequence[int], *, broken: bool) -> Split:
    """Return the split that follows: the next step up, or everything back to the old version."""
    if broken:
        return Split(split.new, split.old, 0)
    return Split(split.new, split.old, next((step for step in steps if step > split.share), ALL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was seen of two deployments, the new one and the old one, that were asked the same."""

    requests: int = 0
    """How often the new one was asked."""
    errors: int = 0
    """How often it gave no answer, or one other than 200 with predictions."""
    milliseconds: tuple[float, ...] = ()
    """Of the new one's good answers."""
    beside: tuple[float, ...] = ()
    """Of the old one's."""
    predictions: int = 0
    """Both were asked for, row by row."""
    different: int = 0
    """Those of them that differ."""
    answered: Mapping[str, int] = field(default_factory=dict)
    """Requests that left the choice to the traffic, by the deployment that answered them."""

    def __add__(self, other: "Observation") -> "Observation":
        names = {**self.answered, **other.answered}
        return Observation(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            milliseconds=self.milliseconds + other.milliseconds,
            beside=self.beside + other.beside,
            predictions=self.predictions + other.predictions,
            different=self.different + other.different,
            answered={name: self.answered.get(name, 0) + other.answered.get(name, 0) for name in names},
        )

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
        if self.milliseconds:
            beside = f" beside {statistics.median(self.beside):.1f} ms" if self.beside else ""
            parts.append(f"median {statistics.median(self.milliseconds):.1f} ms{beside}")
        if self.predictions:
            parts.append(f"{self.different} of {self.predictions} predictions differ")
        return ", ".join(parts)


def broken_limits(seen: Observation, limits: Limits) -> Sequence[str]:
    """Return a phrase for each limit that what was seen breaks, with figure and limit."""
    return tuple(_broken(seen, limits))


def _broken(seen: Observation, limits: Limits) -> Iterator[str]:
    if seen.error_rate > limits.max_error_rate:
        yield f"{seen.errors} of {seen.requests} requests failed, at most {limits.max_error_rate:.2%} may"
    if seen.milliseconds:
        median = statistics.median(seen.milliseconds)
        if limits.max_median_ms is not None and median > limits.max_median_ms:
            yield f"its median answer takes {median:.0f} ms, at most {limits.max_median_ms:g} ms are due"
        beside = statistics.median(seen.beside) if seen.beside else None
        if limits.max_slowdown is not None and beside and median > limits.max_slowdown * beside:
            yield (
                f"its median answer takes {median:.0f} ms, {median / beside:.1f} times the old version's "
                f"{beside:.0f} ms, at most {limits.max_slowdown:g} times are due"
            )
    if limits.max_difference is not None and seen.difference > limits.max_difference:
        yield (
            f"{seen.different} of {seen.predictions} predictions differ from the old version's, "
            f"at most {limits.max_difference:.0%} may"
        )
