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
from mlgates.gates.errors import CouldNotRun
from mlgates.gates.evidence import Evidence
from mlgates.gates.scores import SCORES

Names: TypeAlias = npt.NDArray[np.object_]


class FairnessConfig(Strict):
    """Which groups are compared, by what, and how far apart they may be."""

    groups: dict[str, list[float]] = Field(min_length=1)
    """By column of the data, the edges between its bands: `Age: [30, 60]` is under 30, 30 to under 60, 60 and over."""
    metric: Literal["accuracy", "auc", "brier", "precision", "recall"] = "auc"
    """The score in which groups are compared."""
    max_gap: float = Field(default=0.1, gt=0, le=1)
    """Between the best and the worst group, in the metric's own unit."""
    min_rows: int = Field(default=100, ge=2)
    """Held-out rows that a group must have to be judged; a smaller one is reported and left out."""

    @field_validator("groups")
    @classmethod
    def _edges_rise(cls, groups: dict[str, list[float]]) -> dict[str, list[float]]:
        for column, edges in groups.items():
            if not edges or sorted(set(edges)) != edges:
                raise ValueError(f"the edges of {column} must rise, and there must be one: {edges}")
        return groups


def check(config: FairnessConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield a result a column. Evidence: `groups`, by name `value` and `rows`; `left_out`, by name the rows."""
    rows = evidence.held_out.rows
    for column, edges in config.groups.items():
        if column not in rows:
            raise CouldNotRun(f"the data has no column '{column}'. {did_you_mean(column, map(str, rows))}")
        yield _result(config, column, bands(rows[column], edges), evidence)


def bands(values: pd.Series, edges: list[float]) -> Names:
    """Return the name of each value's band, `30 to under 45`; a missing value is in a band of its own."""
    *names, missing = band_names(edges)
    cut = pd.cut(values, [-np.inf, *edges, np.inf], right=False, labels=names)
    return cut.cat.add_categories(missing).fillna(missing).to_numpy(dtype=object)


def band_names(edges: list[float]) -> list[str]:
    """Return the bands as a person orders them: from the lowest to the highest, then the one of missing values."""
    between = (f"{low:g} to under {high:g}" for low, high in pairwise(edges))
    return [f"under {edges[0]:g}", *between, f"{edges[-1]:g} and over", "no value"]


def _result(config: FairnessConfig, column: str, groups: Names, evidence: Evidence) -> CheckResult:
    from fairlearn.metrics import MetricFrame, count  # noqa: PLC0415 - brings in scikit-learn

    labels, candidate = evidence.held_out.labels, evidence.candidate
    classes, probabilities = evidence.classes(candidate), evidence.probabilities(candidate)
    score = SCORES[config.metric]
    # A score wants classes and probabilities, and a MetricFrame hands over one prediction: the number of the row.
    frame = MetricFrame(
        metrics={
            "value": lambda _, numbers: score(labels[numbers], classes[numbers], probabilities[numbers]),
            "rows": count,
        },
        y_true=labels,
        y_pred=np.arange(len(labels)),
        sensitive_features=groups,
    )
    found = {str(name): (float(row["value"]), int(row["rows"])) for name, row in frame.by_group.iterrows()}
    # A MetricFrame orders its groups by the alphabet, which puts `under 30` last.
    by_group = {name: found[name] for name in band_names(config.groups[column]) if name in found}
    judged = {
        name: value for name, (value, rows) in by_group.items() if rows >= config.min_rows and not np.isnan(value)
    }
    left_out = {name: rows for name, (_, rows) in by_group.items() if name not in judged}
    if len(judged) < 2:
        raise CouldNotRun(
            f"{len(judged)} groups of {column} have {config.min_rows} held-out rows and both classes, two are needed",
            remedy="choose other edges, or a smaller min_rows",
        )
    worst, best = min(judged, key=judged.__getitem__), max(judged, key=judged.__getitem__)
    gap = judged[best] - judged[worst]
    small = ", ".join(f"{name} ({rows} rows)" for name, rows in left_out.items())
    return CheckResult(
        name=column,
        verdict=Verdict.passed_if(gap <= config.max_gap),
        reason=(
            f"{config.metric} is {judged[best]:.3f} for {column} {best} and {judged[worst]:.3f} for {worst}: "
            f"a gap of {gap:.3f}{f'; left out: {small}' if small else ''}"
        ),
        figure=gap,
        limit=f"at most {config.max_gap:g}",
        most=config.max_gap,
        remedy=f"look at the rows of {column} {worst}: too few of them, or features that say little about them",
        evidence={
            "metric": config.metric,
            "groups": {name: {"value": value, "rows": by_group[name][1]} for name, value in judged.items()},
            "left_out": left_out,
        },
    )
