"""What each section of a gate's page shows, read from the evidence that the record carries.

Evidence is JSON, and checks may be a team's own: what is not there, or not as expected, leaves its section with the
reason why it is empty, and the page is made.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.lineage import Lineage
from mlgates.reports.html.charts import (
    CALIBRATION,
    PRECISION_RECALL,
    PREDICTED,
    RESIDUALS,
    ROC,
    Drawn,
    chart,
    distributions,
    scatter,
    share,
    sparkline,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Section(Generic[T]):
    """What a section shows, or why it shows nothing."""

    shown: T | None
    empty: str = ""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A score of both models on the same rows."""

    name: str
    candidate: float | None
    champion: float | None
    gain: float | None
    """Positive when the candidate is better, whatever the score."""
    lower_is_better: bool


@dataclass(frozen=True, slots=True)
class Curves:
    """The charts of both models, and their confusion matrices by role."""

    charts: Sequence[tuple[str, Drawn]]
    confusions: Mapping[str, Sequence[Sequence[int]]]
    classes: Sequence[str]
    """Of the confusion matrices, in their order."""
    target: str
    """What is predicted; empty where the record does not say."""
    rows: int


@dataclass(frozen=True, slots=True)
class BarRow:
    """A named figure with its bar."""

    name: str
    value: float
    note: str
    bar: Drawn


@dataclass(frozen=True, slots=True)
class Groups:
    """How a model does by the groups of one column."""

    column: str
    metric: str
    rows: Sequence[BarRow]
    left_out: Mapping[str, int]
    result: CheckResult


@dataclass(frozen=True, slots=True)
class DriftRow:
    """How one column of the training data has moved."""

    column: str
    psi: float
    ks: float | None
    """None of a column of categories."""
    verdict: Verdict
    picture: Drawn


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric over the versions of the model."""

    name: str
    first: float
    last: float
    picture: Drawn


def section(read: Callable[[], T | None], empty: str) -> Section[T]:
    """Return what `read` reads; `empty` says why there is nothing when it returns something falsy."""
    try:
        shown = read()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return Section(None, f"The evidence for this is not as expected ({type(error).__name__}: {error}).")
    return Section(shown) if shown else Section(None, empty)


def of_kind(record: GateRecord, kind: str) -> list[CheckResult]:
    """Return the results of one type of check."""
    return [result for result in record.results if result.kind == kind]


def why_none(record: GateRecord, kind: str) -> str:
    """Return why a type of check left no evidence."""
    results = of_kind(record, kind)
    if not results:
        return f"This gate does not check {kind}."
    return f"No picture: {'; '.join(result.reason for result in results)}."


def scores(record: GateRecord) -> Section[Sequence[ScoreRow]]:
    """Return both models' scores on the held-out rows of the candidate."""
    return section(lambda: _scores(record.pictures), _unseen(record))


def _scores(pictures: Mapping[str, Any]) -> Sequence[ScoreRow]:
    ours, theirs = (pictures.get("scores", {}).get(role, {}) for role in ("candidate", "champion"))
    lower = pictures.get("lower_is_better", ())
    return [_score(name, ours.get(name), theirs.get(name), name in lower) for name in {**ours, **theirs}]


def _score(name: str, ours: float | None, theirs: float | None, lower_is_better: bool) -> ScoreRow:
    gain = None if ours is None or theirs is None else (theirs - ours if lower_is_better else ours - theirs)
    return ScoreRow(name, ours, theirs, gain, lower_is_better)


def curves(record: GateRecord) -> Section[Curves]:
    """Return the charts that the record has points for."""
    return section(lambda: _curves(record.pictures), _unseen(record))


def _curves(pictures: Mapping[str, Any]) -> Curves | None:
    by_role: Mapping[str, Any] = pictures.get("curves", {})
    if not by_role:
        return None
    charts = []
    for axes, key in ((ROC, "roc"), (PRECISION_RECALL, "precision_recall"), (CALIBRATION, "calibration")):
        series = {role: points[key] for role, points in by_role.items() if points.get(key)}
        if series:
            charts.append((axes.title, chart(axes, series, dots=key == "calibration")))
    for axes, key in ((PREDICTED, "predicted"), (RESIDUALS, "residuals")):
        series = {role: points[key] for role, points in by_role.items() if points.get(key)}
        if series:
            charts.append((axes.title, scatter(axes, series)))
    roles = [role for role in ("candidate", "champion") if by_role.get(role, {}).get("confusion")]
    confusions = {role: by_role[role]["confusion"] for role in roles}
    counted = range(max((len(counts) for counts in confusions.values()), default=0))
    classes = pictures.get("classes") or [str(number) for number in counted]
    rows = max(points["rows"] for points in by_role.values())
    return Curves(charts, confusions, classes, pictures.get("target", ""), rows)


def _unseen(record: GateRecord) -> str:
    if record.candidate is None:
        return "This gate is about a commit: there is no model to compare."
    missing = record.pictures.get("missing", {})
    return "; ".join(missing.values()) if missing else "The record carries no curves."


def importance(record: GateRecord) -> Section[Sequence[BarRow]]:
    """Return the features, the most important first."""

    def read() -> Sequence[BarRow]:
        found: Mapping[str, Any] = next(
            (r.evidence["importance"] for r in of_kind(record, "explanation") if "importance" in r.evidence), {}
        )
        most = max((each["mean"] + each["std"] for each in found.values()), default=0.0)
        ordered = sorted(found.items(), key=lambda item: -item[1]["mean"])
        return [_importance(name, each["mean"], each["std"], most) for name, each in ordered]

    return section(read, why_none(record, "explanation"))


def _importance(name: str, mean: float, std: float, most: float) -> BarRow:
    return BarRow(name, mean, f"± {std:.2g}", share(mean, most, f"Importance of {name}", spread=std))


def groups(record: GateRecord) -> Section[Sequence[Groups]]:
    """Return a table for each column whose groups were compared."""
    results = [result for result in of_kind(record, "fairness") if "groups" in result.evidence]
    return section(lambda: [_groups(result) for result in results], why_none(record, "fairness"))


def _groups(result: CheckResult) -> Groups:
    column, metric = result.name.partition(".")[2], result.evidence["metric"]
    rows = [
        BarRow(name, of["value"], f"{of['rows']} rows", share(of["value"], 1.0, f"{metric} of {column} {name}"))
        for name, of in result.evidence["groups"].items()
    ]
    return Groups(column, metric, rows, result.evidence.get("left_out", {}), result)


def expectations(record: GateRecord) -> Section[Sequence[CheckResult]]:
    """Return the results of the expectation suites."""
    return section(lambda: of_kind(record, "data"), why_none(record, "data"))


def drift(record: GateRecord) -> Section[Sequence[DriftRow]]:
    """Return the columns of the training data, those that moved most first."""
    results = [result for result in of_kind(record, "drift") if result.evidence.get("candidate")]
    return section(lambda: sorted(map(_drift, results), key=lambda row: -row.psi), why_none(record, "drift"))


def _drift(result: CheckResult) -> DriftRow:
    column, evidence = result.name.partition(".")[2], result.evidence
    drawing = distributions(f"Distribution of {column}", evidence["champion"], evidence["candidate"])
    return DriftRow(column, evidence["psi"], evidence["ks"], result.verdict, drawing)


def history(record: GateRecord) -> Section[Sequence[MetricRow]]:
    """Return how each metric has moved over the model's versions."""

    def read() -> Sequence[MetricRow]:
        versions = record.pictures.get("versions", [])
        names = dict.fromkeys(name for version in versions for name in version["metrics"])
        by_name = {name: [version["metrics"].get(name, math.nan) for version in versions] for name in names}
        return [_metric(name, [value for value in values if math.isfinite(value)]) for name, values in by_name.items()]

    return section(read, "No version of the model has metrics among its tags.")


def _metric(name: str, values: Sequence[float]) -> MetricRow:
    return MetricRow(name, values[0], values[-1], sparkline(values, f"{name} over {len(values)} versions"))


def lineage(record: GateRecord) -> Sequence[tuple[str, str, str]]:
    """Return the way from commit to model: what it is, its name, and what else is known of it."""
    if record.candidate is None:
        return [("commit", record.commit, "")]
    made_from = Lineage.from_tags(record.candidate.tags)
    changed = "with local changes" if made_from.git_dirty == "True" else ""
    build = [("build", record.build, "one archive, as dev passed it")] if record.build else []
    return [
        ("commit", made_from.git_commit, changed),
        *build,
        ("data", made_from.data, f"origin {made_from.data_origin}, sha256 {made_from.data_sha256}"),
        ("environment", made_from.environment, ""),
        ("job", made_from.job, ""),
        ("model", record.candidate.model, f"sha256 {record.candidate.sha256}"),
    ]
