"""What checks look at: fetched once, and one clear line when it is not there."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mlgates.evaluation.answers import Answers
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.target import EvaluationConfig
from mlgates.gates.evidence import Evidence
from mlgates.gates.suite_reports import read_coverage, read_suites
from tests.unit.mlgates.gates.fakes import NOWHERE, FakeModel, evidence


class TestEvidence:
    def test_a_gate_about_a_commit_has_no_candidate(self) -> None:
        with pytest.raises(CouldNotRun, match="this gate has no candidate"):
            _ = Evidence(root=NOWHERE).candidate

    def test_what_nobody_fetches_is_not_there(self) -> None:
        with pytest.raises(CouldNotRun, match="nothing was fetched for classifier:2"):
            _ = Evidence(root=NOWHERE, the_candidate=FakeModel()).held_out

    def test_each_model_is_asked_once(self) -> None:
        asked: list[str] = []

        class Counting(FakeModel):
            def answer(self, rows: Rows, config: EvaluationConfig) -> Answers:
                asked.append(str(self))
                return super().answer(rows, config)

        found = replace(evidence([0, 1], [0, 1]), the_candidate=Counting(), champion=Counting("classifier:1"))
        for model in (found.candidate, found.champion, found.candidate):
            assert model
            found.probabilities(model)
        assert asked == ["classifier:2", "classifier:1"]

    def test_metrics_are_those_that_the_lineage_has(self) -> None:
        found = evidence([0], [0], tags={"metric.auc": "0.5", "job": "j"})
        assert found.metrics(found.candidate) == {"auc": 0.5}


class TestReportsOfSuites:
    def test_a_report_that_is_none_names_the_session_to_run_again(self, tmp_path: Path) -> None:
        (tmp_path / "suites").mkdir()
        (tmp_path / "suites" / "unit.json").write_text("{}")
        with pytest.raises(CouldNotRun, match=r"unit\.json is not a suite's report") as stopped:
            read_suites(tmp_path)
        assert stopped.value.remedy == "run 'nox -s unit' again"

    def test_the_coverage_is_that_of_coverage_py(self, tmp_path: Path) -> None:
        (tmp_path / "coverage.json").write_text('{"totals": {"percent_covered": 97.5}}')
        assert read_coverage(tmp_path) == 97.5

    def test_without_a_report_there_is_no_coverage(self, tmp_path: Path) -> None:
        assert read_coverage(tmp_path) is None

    def test_a_coverage_report_that_is_none_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "coverage.json").write_text("{}")
        with pytest.raises(CouldNotRun, match=r"coverage\.json is not a coverage report"):
            read_coverage(tmp_path)


def test_another_model_is_asked_with_features_of_its_own() -> None:
    asked: list[list[str]] = []

    class Asked(FakeModel):
        def answer(self, rows: Rows, config: EvaluationConfig) -> Answers:
            asked.append([str(name) for name in rows.features])
            return super().answer(rows, config)

    def features(_: Model, rows: Rows) -> pd.DataFrame:
        return rows.features[["q", "p"]]

    found = replace(
        evidence([0, 1], [0, 1], theirs=[0, 1]),
        the_candidate=Asked(),
        champion=Asked("classifier:1"),
        fetch_features=features,
    )
    for model in (found.candidate, found.champion):
        assert model
        found.answers(model)
    assert asked == [["p", "q"], ["q", "p"]]
