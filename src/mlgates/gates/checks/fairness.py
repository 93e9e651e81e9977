"""Whether the model is as good for each group of people as for the others, by fairlearn's `MetricFrame`."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, field_validator

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.core.nearest import did_you_mean
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.scores import Score, ScoreName
from mlgates.gates.evidence import Evidence

Names: TypeAlias = npt.NDArray[np.object_]
EACH = "each"
NO_VALUE = "no value"


class FairnessConfig(Strict):
    """Which groups are compared, by what, and how far apart they may be."""

    groups: dict[str, list[float] | Literal["each"]] = Field(min_length=1)
    """By column of the data, the edges between its bands, `Age: [30, 60]` is under 30, 30 to under 60, 60 and over; or
    `each`: a group for each value of the column."""
    metric: ScoreName = ""
    """The score in which groups are compared (docs/gates.md); by default `auc`, `auc_ovr` or `r2`, by the task."""
    lower_is_better: bool = False
    """Of a function of one's own, that it measures a loss; other scores are known."""
    max_gap: float = Field(default=0.1, gt=0)
    """Between the best and the worst group, in the metric's own unit."""
    min_rows: int = Field(default=100, ge=2)
    """Held-out rows that a group must have to be judged; a smaller one is reported and left out."""

    @field_validator("groups")
    @classmethod
    def _edges_rise(cls, groups: dict[str, list[float] | str]) -> dict[str, list[float] | str]:
        for column, edges in groups.items():
            if not isinstance(edges, str) and (not edges or sorted(set(edges)) != edges):
                raise ValueError(f"the edges of {column} must rise, and there must be one: {edges}")
        return groups


def check(config: FairnessConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield a result a column. Evidence: `groups`, by name `value` and `rows`; `left_out`, by name the rows."""
    rows = evidence.labelled.rows
    for column, edges in config.groups.items():
        if column not in rows:
            raise CouldNotRun(f"the data has no column '{column}'. {did_you_mean(column, map(str, rows))}")
        if isinstance(edges, str):
            groups = rows[column].astype(object).map(str, na_action="ignore").fillna(NO_VALUE).to_numpy(dtype=object)
            names = sorted(set(groups), key=lambda name: (name == NO_VALUE, name))
        else:
            groups, names = bands(rows[column], edges), band_names(edges)
        yield _result(config, column, groups, names, evidence)


def bands(values: pd.Series, edges: list[float]) -> Names:
    """Return the name of each value's band, `30 to under 45`; a missing value is in a band of its own.

    Raises `CouldNotRun` for a column that holds no numbers.
    """
    if not pd.api.types.is_numeric_dtype(values):
        raise CouldNotRun(
            f"{values.name} holds no numbers, and bands are given", remedy=f"write {values.name}: {EACH} in gates.yml"
        )
    *names, missing = band_names(edges)
    cut = pd.cut(values, [-np.inf, *edges, np.inf], right=False, labels=names)
    return cut.cat.add_categories(missing).fillna(missing).to_numpy(dtype=object)


def band_names(edges: list[float]) -> list[str]:
    """Return the bands as a person orders them: from the lowest to the highest, then the one of missing values."""
    between = (f"{low:g} to under {high:g}" for low, high in pairwise(edges))
    return [f"under {edges[0]:g}", *between, f"{edges[-1]:g} and over", NO_VALUE]


def _score(config: FairnessConfig, evidence: Evidence) -> Score:
    return evidence.score(config.metric, lower_is_better=config.lower_is_better)


def _by_group(config: FairnessConfig, groups: Names, evidence: Evidence) -> dict[str, tuple[float, int]]:
    """Return the score and the number of rows of each group."""
    from fairlearn.metrics import MetricFrame, count  # noqa: PLC0415 - brings in scikit-learn

    rows, answers, score = evidence.labelled, evidence.answers(evidence.candidate), _score(config, evidence)
    # A score wants rows and answers, and a MetricFrame hands over one prediction: the number of the row.
    frame = MetricFrame(
        # A group that is left out anyway may lack what the score needs.
        metrics={
            "value": lambda _, numbers: (
                score(rows.take(numbers), answers.take(numbers)) if len(numbers) >= config.min_rows else float("nan")
            ),
            "rows": count,
        },
        y_true=rows.labels,
        y_pred=np.arange(len(rows)),
        sensitive_features=groups,
    )
    return {str(name): (float(row["value"]), int(row["rows"])) for name, row in frame.by_group.iterrows()}


def _result(config: FairnessConfig, column: str, groups: Names, names: list[str], evidence: Evidence) -> CheckResult:
    found = _by_group(config, groups, evidence)
    metric = _score(config, evidence)
    # A MetricFrame orders its groups by the alphabet, which puts `under 30` last.
    by_group = {name: found[name] for name in names if name in found}
    judged = {
        name: value for name, (value, rows) in by_group.items() if rows >= config.min_rows and not np.isnan(value)
    }
    left_out = {name: rows for name, (_, rows) in by_group.items() if name not in judged}
    if len(judged) < 2:
        raise CouldNotRun(
            f"{len(judged)} groups of {column} have {config.min_rows} held-out rows and every class, two are needed",
            remedy="choose other groups, or a smaller min_rows",
        )
    lowest, highest = min(judged, key=judged.__getitem__), max(judged, key=judged.__getitem__)
    worst, best = (highest, lowest) if metric.lower_is_better else (lowest, highest)
    gap = judged[highest] - judged[lowest]
    small = ", ".join(f"{name} ({rows} rows)" for name, rows in left_out.items())
    return CheckResult(
        name=column,
        verdict=Verdict.passed_if(gap <= config.max_gap),
        reason=(
            f"{metric.name} is {judged[best]:.3f} for {column} {best} and {judged[worst]:.3f} for {worst}: "
            f"a gap of {gap:.3f}{f'; left out: {small}' if small else ''}"
        ),
        figure=gap,
        limit=f"at most {config.max_gap:g}",
        most=config.max_gap,
        remedy=f"look at the rows of {column} {worst}: too few of them, or features that say little about them",
        evidence={
            "metric": metric.name,
            "groups": {name: {"value": value, "rows": by_group[name][1]} for name, value in judged.items()},
            "left_out": left_out,
        },
    )
