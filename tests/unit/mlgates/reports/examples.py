"""Records as gates and pipelines leave them: two gates, one of which fails, and a pipeline that waits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.lineage import Lineage
from mlgates.core.pipelines import Decision, PipelineRecord, Serving, StageRecord, StageState
from mlgates.core.values import AssetVersion, ModelArtifact
from mlgates.evaluation.scores import SCORES, USUAL
from mlgates.evaluation.target import Task
from mlgates.gates.comparison import curves, history
from tests.unit.mlgates.gates.fakes import binary_answers, binary_rows

COMMIT = "9f4c2ab1d07e5c6b8a3f90d2e1c4b5a697886f5e"
BUILD = "5be1c0ffee" * 6 + "abcd"


def lineage(estimator: int, **metrics: float) -> Lineage:
    return Lineage(
        job=f"calm_river_{estimator:02}",
        git_commit=COMMIT,
        git_dirty="False",
        data=f"diabetes-data:{estimator}",
        data_sha256="0d15ea5e" * 8,
        data_origin="registry",
        environment="diabetes-train-env:2",
        metrics=metrics,
    )


LOGISTIC = lineage(1, accuracy=0.7905, auc=0.8568, precision=0.7287, recall=0.5936, brier=0.1476)
SCALED = lineage(2, accuracy=0.7893, auc=0.8577, precision=0.7249, recall=0.5952, brier=0.1470)
FOREST = lineage(3, accuracy=0.9342, auc=0.9816, precision=0.9147, recall=0.8871, brier=0.0553)
VERSIONS = [
    AssetVersion("diabetes-classifier", str(number), created=False, tags=of.to_tags())
    for number, of in enumerate((LOGISTIC, SCALED, FOREST), start=1)
]
CANDIDATE = ModelArtifact.of("diabetes-classifier:3", "c0de" * 16, FOREST.to_tags())
CHAMPION = ModelArtifact.of("diabetes-classifier:1", "beef" * 16, LOGISTIC.to_tags())


def pictures() -> dict[str, Any]:
    """Curves of a good candidate and a plain champion on the same rows, drawn with a fixed seed."""
    draw = np.random.default_rng(7)
    labels = (draw.random(3000) < 0.33).astype(np.int64)
    drawn: dict[str, Any] = {"scores": {}, "curves": {}, "missing": {}, "versions": history(VERSIONS)}
    drawn["lower_is_better"] = ["brier", "log_loss"]
    for role, distance in (("candidate", 2.9), ("champion", 1.5)):
        evidence = draw.normal(distance * (labels - 0.5)) * distance
        probabilities = 1 / (1 + np.exp(-evidence + 0.7))
        classes = (probabilities >= 0.5).astype(np.int64)
        rows, answers = binary_rows(labels), binary_answers(probabilities, classes)
        drawn["curves"][role] = curves(rows, answers)
        drawn["scores"][role] = {name: SCORES[name](rows, answers) for name in USUAL[Task.BINARY]}
    return drawn


def check(name: str, verdict: Verdict = Verdict.PASSED, reason: str = "as it must be", **more: Any) -> CheckResult:
    return CheckResult(name=name, verdict=verdict, reason=reason, **more)


def floor(name: str, value: float, least: float, **more: Any) -> CheckResult:
    reason = f"{name.rpartition('.')[2]} is {value:.4g}, at least {least:g} is required"
    return check(name, reason=reason, figure=value, limit=f"at least {least:g}", least=least, **more)


def ceiling(name: str, value: float, most: float, **more: Any) -> CheckResult:
    reason = f"{name.rpartition('.')[2]} is {value:.4g}, at most {most:g} is required"
    return check(name, reason=reason, figure=value, limit=f"at most {most:g}", most=most, **more)


def explained() -> dict[str, Any]:
    means = {"Pregnancies": 0.113, "SerumInsulin": 0.083, "BMI": 0.071, "Age": 0.066, "PlasmaGlucose": 0.024}
    means |= {"TricepsThickness": 0.006, "DiastolicBloodPressure": 0.004, "DiabetesPedigree": -0.001}
    spread = {name: {"mean": mean, "std": 0.002 + 0.05 * abs(mean)} for name, mean in means.items()}
    return {"importance": spread, "metric": "auc", "before": 0.9816, "rows": 1000, "repeats": 3}


def drifted() -> list[CheckResult]:
    old = [0.1] * 10
    moved = {"Pregnancies": 0.012, "PlasmaGlucose": 0.018, "BMI": 0.031, "Age": 0.006}
    results = []
    for name, by in moved.items():
        new = [share + by * (place - 4.5) / 4.5 for place, share in enumerate(old)]
        psi = sum((b - a) * float(np.log(b / a)) for a, b in zip(old, new, strict=True))
        evidence = {"psi": psi, "ks": 2 * by, "edges": list(range(1, 10)), "champion": old, "candidate": new}
        reason = f"population stability index {psi:.3f}, Kolmogorov-Smirnov {2 * by:.3f}"
        limit = "index at most 0.2, Kolmogorov-Smirnov at most 0.1"
        results.append(check(f"drift.{name}", reason=reason, figure=psi, limit=limit, most=0.2, evidence=evidence))
    return results


DEV = GateRecord(
    gate="dev",
    environment="dev",
    workspace="mlw-diabetes-dev",
    candidate=CANDIDATE,
    champion=CHAMPION,
    results=(
        floor("suites.integration", 34.0, 30.0, unit="tests"),
        floor("metrics.accuracy", 0.9342, 0.75, seconds=0.01),
        floor("metrics.auc", 0.9816, 0.82, seconds=0.01),
    ),
    started="2026-03-02T09:12:44+00:00",
    seconds=1.4,
    commit=COMMIT,
    build=BUILD,
    pictures=pictures(),
)

PROD = replace(
    DEV,
    gate="prod",
    environment="prod",
    workspace="mlw-diabetes-prod",
    started="2026-03-02T09:31:07+00:00",
    seconds=4.8,
    results=(
        floor("metrics.accuracy", 0.9342, 0.75, seconds=0.01),
        floor("metrics.auc", 0.9816, 0.82, seconds=0.01),
        ceiling("metrics.brier", 0.0553, 0.2, seconds=0.01),
        check(
            "champion.auc",
            reason="auc 0.9816 against the champion's 0.8568 on 3000 rows: gain +0.1248, "
            "95% interval +0.1141 to +0.1362",
            figure=0.1248,
            limit="no loss beyond 0.01 at 95% confidence",
            least=-0.01,
            evidence={"candidate": 0.9816, "champion": 0.8568, "low": 0.1141, "high": 0.1362, "rows": 3000},
            seconds=1.2,
        ),
        check(
            "calibration",
            Verdict.WARNED,
            reason="probabilities are off by 0.061 on average; of the 214 rows given 85% on average, 93% are positive",
            figure=0.061,
            limit="at most 0.05",
            most=0.05,
            remedy="calibrate the model (scikit-learn's CalibratedClassifierCV)",
        ),
        check(
            "fairness.Age",
            Verdict.FAILED,
            reason="auc is 0.981 for Age under 30 and 0.846 for 60 and over: a gap of 0.135",
            figure=0.135,
            limit="at most 0.1",
            most=0.1,
            remedy="look at the rows of Age 60 and over: too few of them, or features that say little about them",
            evidence={
                "metric": "auc",
                "groups": {
                    "under 30": {"value": 0.981, "rows": 1402},
                    "30 to under 45": {"value": 0.958, "rows": 1103},
                    "45 to under 60": {"value": 0.931, "rows": 361},
                    "60 and over": {"value": 0.846, "rows": 122},
                },
                "left_out": {"no value": 12},
            },
        ),
        ceiling("explanation.largest_share", 0.41, 0.9, evidence=explained()),
        ceiling("size", 12.3, 100.0, unit="MB"),
        ceiling("latency.row_median", 7.9, 100.0, unit="ms"),
        check(
            "data",
            reason="diabetes: 23 of 23 expectations met",
            figure=0.0,
            limit="at most 0 not met",
            most=0.0,
            evidence={"suite": "diabetes", "checked": 23, "failed": []},
        ),
        *drifted(),
        check(
            "supply_chain",
            Verdict.COULD_NOT_RUN,
            reason="the package index did not tell which releases are yanked",
            remedy="run the gate again when the index answers, or list supply_chain under warn_only",
        ),
    ),
)
GATES: Mapping[str, GateRecord] = {"dev": DEV, "prod": PROD}

PIPELINE = PipelineRecord(
    pipeline="prod",
    environment="prod",
    workspace="mlw-diabetes-prod",
    started="2026-03-02T09:28:00+00:00",
    seconds=412.0,
    commit=COMMIT,
    build=BUILD,
    stages=(
        StageRecord(
            name="build", state=StageState.PASSED, started="2026-03-02T09:28:00+00:00", seconds=1.2, remark="unpacked"
        ),
        StageRecord(
            name="train",
            state=StageState.PASSED,
            started="2026-03-02T09:28:01+00:00",
            seconds=184.0,
            remark="job calm_river_03 Completed",
        ),
        StageRecord(
            name="gate prod",
            state=StageState.PASSED,
            started="2026-03-02T09:31:06+00:00",
            seconds=4.8,
            remark="gate prod for diabetes-classifier:3 passed",
        ),
        StageRecord(
            name="approval",
            state=StageState.WAITING,
            started="2026-03-02T09:31:11+00:00",
            seconds=221.0,
            remark="waits for mlgates approve diabetes-classifier:3",
        ),
        StageRecord(name="release", state=StageState.SKIPPED, remark="no approval yet"),
    ),
    gates=(replace(PROD, results=tuple(result for result in PROD.results if result.verdict.holds)),),
    serving=(Serving(endpoint="diabetes-online-prod", deployment="blue", model="diabetes-classifier:1", share=100),),
)
RELEASED = replace(
    PIPELINE,
    stages=(
        *PIPELINE.stages[:3],
        replace(PIPELINE.stages[3], state=StageState.PASSED, remark="approved by R. Meyer"),
        StageRecord(
            name="release",
            state=StageState.PASSED,
            started="2026-03-02T09:34:52+00:00",
            seconds=96.0,
            remark="canary 10, 50, 100 %",
        ),
    ),
    decisions=(
        Decision(
            model="diabetes-classifier:3",
            approved=True,
            by="R. Meyer",
            when="2026-03-02T09:34:50+00:00",
            reason="better on every score, no group worse",
        ),
    ),
    serving=(
        Serving(endpoint="diabetes-online-prod", deployment="green", model="diabetes-classifier:3", share=100),
        Serving(endpoint="diabetes-batch-prod", deployment="green", model="diabetes-classifier:3", share=100),
    ),
)
