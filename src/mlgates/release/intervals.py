"""How sure a share is that was counted so far: an interval that may be looked at as often as one likes.

A canary is looked at again and again, and an ordinary interval (Clopper and Pearson's) is wrong in one of its looks far
more often than it says. These bounds are a confidence sequence: the true share stays within them at every look, but for
the stated doubt (Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021). The evidence against a share is the
likelihood of all shares, weighed by Jeffreys' prior (Krichevsky, Trofimov 1981), over that of the one; under the true
share it exceeds 1/doubt at any time with no more than the doubt (Ville's inequality).
"""

import math
from collections.abc import Sequence

_LOG_PI = math.log(math.pi)
_STEPS = 40
"""Of the bisection for a bound: 12 digits."""


def evidence(count: float, of: float, share: float) -> float:
    """Return the logarithm of the evidence that `count` of `of` is against `share`; infinite when it cannot be."""
    other = of - count
    if (share <= 0 and count > 0) or (share >= 1 and other > 0):
        return math.inf
    likelihood = (count * math.log(share) if count else 0.0) + (other * math.log1p(-share) if other else 0.0)
    return math.lgamma(count + 0.5) + math.lgamma(other + 0.5) - math.lgamma(of + 1) - _LOG_PI - likelihood


def is_above(count: float, of: float, share: float, *, doubt: float) -> bool:
    """Tell whether the true share is above `share`, with no more than `doubt`."""
    return count > share * of and evidence(count, of, share) >= -math.log(doubt)


def is_below(count: float, of: float, share: float, *, doubt: float) -> bool:
    """Tell whether the true share is below `share`, with no more than `doubt`."""
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
