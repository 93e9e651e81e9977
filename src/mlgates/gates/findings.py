"""What a check reports: a figure with its limit, and whether it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check looked at. The gate turns it into a `CheckResult`."""

    what: str
    """Unique in its check: a metric, a column, a layer; "" for a check that looks at one thing only."""
    holds: bool
    reason: str
    figure: float | None = None
    limit: str = ""
    least: float | None = None
    """The floor and the ceiling as numbers, where the limit is one: the report draws the figure against them."""
    most: float | None = None
    unit: str = ""
    remedy: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


def bounded(what: str, figure: float, *, least: float | None, most: float | None, unit: str = "") -> Finding:
    """Return the finding that `figure` is not under `least` and not over `most`; neither is no limit at all."""
    parts = [f"at least {least:g}" if least is not None else "", f"at most {most:g}" if most is not None else ""]
    limit = " and ".join(filter(None, parts))
    # Written so that NaN, which compares with nothing, does not hold.
    holds = (least is None or figure >= least) and (most is None or figure <= most)
    return Finding(
        what=what,
        holds=holds,
        reason=f"{what or 'it'} is {figure:.4g}{f' {unit}' if unit else ''}, {limit} is due",
        figure=figure,
        limit=limit,
        least=least,
        most=most,
        unit=unit,
    )
