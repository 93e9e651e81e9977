"""Whether the candidate was trained on data like the champion's, column by column.

Two figures. The population stability index: values are put into bins that each hold as many of the champion's rows,
and the sum of `(p - q) ln(p / q)` is taken over the bins' shares; by a common rule of thumb under 0.1 is no shift, over
0.25 a large one. The Kolmogorov-Smirnov statistic: the largest distance of the two cumulative distributions, 0 to 1.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.gates.evidence import Evidence

Values: TypeAlias = npt.NDArray[np.float64]
_LEAST = 1e-4
"""The share that an empty bin is taken to have: its logarithm must be finite."""


class DriftConfig(Strict):
    """How far each column may have moved."""

    max_psi: float = Field(default=0.2, gt=0)
    """Population stability index."""
    max_ks: float = Field(default=0.1, gt=0, le=1)
    """Kolmogorov-Smirnov statistic."""
    ignore: list[str] = Field(default_factory=list)
    """Columns that move by nature, such as an identifier or a date."""
    bins: int = Field(default=10, ge=2, le=100)
    """How many bins the index is taken over, each with as many of the champion's rows."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One column of two data sets."""

    psi: float
    ks: float
    edges: list[float]
    """Between the bins; the first and the last bin are open."""
    champion: list[float]
    """The share of the champion's rows in each bin."""
    candidate: list[float]


def check(config: DriftConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield a result a column; one only, when the data is the same. Evidence: the fields of `Drift`."""
    if evidence.champion is None:
        yield CheckResult(name="", verdict=Verdict.PASSED, reason="nothing serves yet to compare the data with")
        return
    if _same_source(evidence):
        yield CheckResult(name="", verdict=Verdict.PASSED, reason=f"trained on the same data as {evidence.champion}")
        return
    new, old = (evidence.training_set(model) for model in (evidence.candidate, evidence.champion))
    if new.equals(old):
        yield CheckResult(name="", verdict=Verdict.PASSED, reason=f"trained on the same rows as {evidence.champion}")
        return
    for name in (name for name in [*old.columns, *new.columns.difference(old.columns)] if name not in config.ignore):
        if name in new and name in old:
            yield _result(config, name, drift(_numbers(old[name]), _numbers(new[name]), config.bins))
        else:
            yield CheckResult(
                name=name,
                verdict=Verdict.FAILED,
                reason=f"the {'champion' if name in old else 'candidate'}'s data alone has the column {name}",
                remedy="train on the same columns, or list it in drift.ignore",
            )


def drift(old: Values, new: Values, bins: int) -> Drift:
    """Compare two samples of a column; missing values are left out of both."""
    from scipy.stats import ks_2samp  # noqa: PLC0415

    old, new = old[~np.isnan(old)], new[~np.isnan(new)]
    if not len(old) or not len(new):
        return Drift(float("nan"), float("nan"), [], [], [])
    edges = np.unique(np.quantile(old, np.linspace(0, 1, bins + 1)[1:-1]))
    champion, candidate = (_shares(values, edges) for values in (old, new))
    return Drift(
        psi=stability_index(champion, candidate),
        ks=float(ks_2samp(old, new, method="asymp").statistic),
        edges=edges.tolist(),
        champion=champion.tolist(),
        candidate=candidate.tolist(),
    )


def stability_index(one: Values, other: Values) -> float:
    """Return the population stability index of two lists of shares: 0 when they are equal, the same either way."""
    p, q = np.maximum(one, _LEAST), np.maximum(other, _LEAST)
    return float(((p - q) * np.log(p / q)).sum())


def _shares(values: Values, edges: Values) -> Values:
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return counts / len(values)


def _numbers(column: pd.Series) -> Values:
    """Return a column as numbers; texts as numbers that follow from them alone, so that equal texts meet in a bin."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype="float64", na_value=np.nan)
    hashes = pd.util.hash_array(column.astype(str).to_numpy(dtype=object))
    return (hashes / 2**64).astype("float64")


def _result(config: DriftConfig, name: str, found: Drift) -> CheckResult:
    remedy = f"find out what became of {name} at its source; widen the limits when the world has changed"
    if np.isnan(found.psi):
        return CheckResult(
            name=name, verdict=Verdict.FAILED, reason=f"one of the two data sets has no value in {name}", remedy=remedy
        )
    return CheckResult(
        name=name,
        verdict=Verdict.passed_if(found.psi <= config.max_psi and found.ks <= config.max_ks),
        reason=f"population stability index {found.psi:.3f}, Kolmogorov-Smirnov {found.ks:.3f}",
        figure=found.psi,
        limit=f"index at most {config.max_psi:g}, Kolmogorov-Smirnov at most {config.max_ks:g}",
        most=config.max_psi,
        remedy=remedy,
        evidence=asdict(found),
    )


def _same_source(evidence: Evidence) -> bool:
    champion = evidence.champion
    sums = [model.tags.get("data_sha256", "unknown") for model in (evidence.candidate, champion) if model]
    return len(set(sums)) == 1 and sums[0] != "unknown"
