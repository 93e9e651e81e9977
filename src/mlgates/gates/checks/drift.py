"""Whether the candidate was trained on data like the champion's, column by column.

Numbers by two figures. The population stability index: values are put into bins that each hold as many of the
champion's rows, and the sum of `(p - q) ln(p / q)` is taken over the bins' shares; by a common rule of thumb under 0.1
is no shift, over 0.25 a large one. The Kolmogorov-Smirnov statistic: the largest distance of the two cumulative
distributions, 0 to 1. Texts, booleans and categories by the index over their values. The share of missing values of
every column by itself: a column that was emptied looks like it was, in what is left of it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
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
CATEGORIES = 50
"""A column of texts with more values than this is compared by its most frequent ones, and the rest together."""
OTHER = "(all others)"
_CHANCE = 1e-3
_SHOWN = 5


class DriftConfig(Strict):
    """How far each column may have moved."""

    max_psi: float = Field(default=0.2, gt=0)
    """Population stability index."""
    max_ks: float = Field(default=0.1, gt=0, le=1)
    """Kolmogorov-Smirnov statistic."""
    max_missing: float = Field(default=0.05, gt=0, le=1)
    """By how much the share of missing values may have changed, either way."""
    new_categories: bool = False
    """True when a category that the champion's data does not have, or one that is gone, is no drift by itself."""
    ignore: list[str] = Field(default_factory=list)
    """Columns that move by nature, such as an identifier or a date."""
    bins: int = Field(default=10, ge=2, le=100)
    """How many bins the index is taken over, each with as many of the champion's rows."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One column of two data sets."""

    psi: float
    ks: float
    """NaN of a column of categories."""
    edges: list[float] | list[str]
    """Between the bins, the first and the last bin being open; of a column of categories their names."""
    champion: list[float]
    """The share of the champion's rows in each bin."""
    candidate: list[float]
    missing: tuple[float, float] = (0.0, 0.0)
    """The share of missing values in the champion's and the candidate's data."""
    new: list[str] = field(default_factory=list)
    """Categories that the champion's data does not have."""
    gone: list[str] = field(default_factory=list)
    """Categories that the candidate's data no longer has."""


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
            yield _result(config, str(name), drift(old[name], new[name], config.bins))
        else:
            yield CheckResult(
                name=str(name),
                verdict=Verdict.FAILED,
                reason=f"the {'champion' if name in old else 'candidate'}'s data alone has the column {name}",
                remedy="train on the same columns, or list it in drift.ignore",
            )


def drift(old: pd.Series, new: pd.Series, bins: int) -> Drift:
    """Compare two samples of a column: as numbers when both are, as dates when both are, else by their values."""
    missing = (float(old.isna().mean()), float(new.isna().mean()))
    old, new = old.dropna(), new.dropna()
    if not len(old) or not len(new):
        return Drift(float("nan"), float("nan"), [], [], [], missing)
    if all(pd.api.types.is_datetime64_any_dtype(column) for column in (old, new)):
        old, new = (column.astype("datetime64[ns]").astype("int64") for column in (old, new))
    old, new = (_decimals_as_numbers(column) for column in (old, new))
    if all(_is_number(column) for column in (old, new)):
        return _of_numbers(_floats(old), _floats(new), bins, missing)
    return _of_categories(old.astype(str), new.astype(str), missing)


def _decimals_as_numbers(column: pd.Series) -> pd.Series:
    decimals = column.dtype == object and all(isinstance(each, Decimal) for each in column)
    return column.astype("float64") if decimals else column


def _floats(column: pd.Series) -> Values:
    return np.asarray(column.to_numpy(dtype="float64"), dtype=np.float64)


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _of_numbers(old: Values, new: Values, bins: int, missing: tuple[float, float]) -> Drift:
    from scipy.stats import ks_2samp  # noqa: PLC0415

    edges = np.unique(np.quantile(old, np.linspace(0, 1, bins + 1)[1:-1]))
    champion, candidate = (_shares(values, edges) for values in (old, new))
    return Drift(
        psi=stability_index(champion, candidate),
        ks=float(ks_2samp(old, new, method="asymp").statistic),
        edges=edges.tolist(),
        champion=champion.tolist(),
        candidate=candidate.tolist(),
        missing=missing,
    )


def _of_categories(old: pd.Series, new: pd.Series, missing: tuple[float, float]) -> Drift:
    counted = old.value_counts()
    names = [str(name) for name in counted.index[:CATEGORIES]]
    many = len(counted) > CATEGORIES
    shares = [column.where(column.isin(names), OTHER).value_counts(normalize=True) for column in (old, new)]
    listed = [*names, OTHER] if any(OTHER in each for each in shares) else names
    champion, candidate = (_floats(each.reindex(listed, fill_value=0.0)) for each in shares)
    counts = new.value_counts()
    return Drift(
        psi=stability_index(champion, candidate),
        ks=float("nan"),
        edges=listed,
        champion=champion.tolist(),
        candidate=candidate.tolist(),
        missing=missing,
        # Free text always brings values that nobody has written before.
        new=[] if many else _absent(counts, counted),
        gone=[] if many else _absent(counted, counts),
    )


def _absent(counts: "pd.Series[int]", other: "pd.Series[int]") -> list[str]:
    """Return the categories that `other` lacks, and would lack by chance in one of a thousand samples at most."""
    rows, drawn = counts.sum(), other.sum()
    gone = counts[~counts.index.isin(other.index)]
    return sorted(str(name) for name, count in gone.items() if (1 - count / rows) ** drawn < _CHANCE)


def stability_index(one: Values, other: Values) -> float:
    """Return the population stability index of two lists of shares: 0 when they are equal, the same either way."""
    p, q = np.maximum(one, _LEAST), np.maximum(other, _LEAST)
    return float(((p - q) * np.log(p / q)).sum())


def _shares(values: Values, edges: Values) -> Values:
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return counts / len(values)


def _result(config: DriftConfig, name: str, found: Drift) -> CheckResult:
    remedy = f"find out what became of {name} at its source; widen the limits when the world has changed"
    if complaint := _sudden(config, name, found):
        return CheckResult(
            name=name, verdict=Verdict.FAILED, reason=complaint, remedy=remedy, evidence=_evidence(found)
        )
    by_category = np.isnan(found.ks)
    figures = f"population stability index {found.psi:.3f}"
    return CheckResult(
        name=name,
        verdict=Verdict.passed_if(found.psi <= config.max_psi and (by_category or found.ks <= config.max_ks)),
        reason=figures if by_category else f"{figures}, Kolmogorov-Smirnov {found.ks:.3f}",
        figure=found.psi,
        limit=f"index at most {config.max_psi:g}"
        + ("" if by_category else f", Kolmogorov-Smirnov at most {config.max_ks:g}"),
        most=config.max_psi,
        remedy=remedy,
        evidence=_evidence(found),
    )


def _sudden(config: DriftConfig, name: str, found: Drift) -> str:
    """Return what changed in a column that no distance of distributions would show; empty when nothing did."""
    old, new = found.missing
    if abs(new - old) > config.max_missing:
        allowed = f"a change of {config.max_missing:.0%} is allowed"
        return f"{new:.0%} of {name} are missing, {old:.0%} of the champion's: {allowed}"
    if np.isnan(found.psi):
        return "" if old == new == 1 else f"one of the two data sets has no value in {name}"
    if _constant(found.candidate) and not _constant(found.champion) and len(found.edges) > 1:
        return f"{name} is the same in every row, and was not in the champion's data"
    if config.new_categories:
        return ""
    told = [f"new: {_some(found.new)}"] * bool(found.new) + [f"gone: {_some(found.gone)}"] * bool(found.gone)
    return f"categories of {name} changed, {'; '.join(told)}" if told else ""


def _constant(shares: list[float]) -> bool:
    return sum(share > 0 for share in shares) == 1


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _evidence(found: Drift) -> dict[str, object]:
    figures = asdict(found) | {"missing": list(found.missing)}
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in figures.items()}


def _same_source(evidence: Evidence) -> bool:
    champion = evidence.champion
    sums = [model.tags.get("data_sha256", "unknown") for model in (evidence.candidate, champion) if model]
    return len(set(sums)) == 1 and sums[0] != "unknown"
