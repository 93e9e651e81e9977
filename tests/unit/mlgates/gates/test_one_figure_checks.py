"""The checks that look at one thing: metrics, reproducibility, size, suites."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.gates import CheckResult, bounded
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.checks import metrics, reproducibility, size, suites
from mlgates.gates.checks.metrics import Bounds
from mlgates.gates.evidence import Evidence, SuiteRun
from tests.unit.mlgates.gates.fakes import FakeModel, evidence

numbers = st.floats(-100, 100)


def scored(**values: float) -> Evidence:
    return evidence([0, 1], [0, 1], tags={f"metric.{name}": repr(value) for name, value in values.items()})


class TestBounded:
    @given(numbers, numbers, numbers)
    def test_a_figure_holds_between_its_limits(self, figure: float, one: float, other: float) -> None:
        least, most = sorted((one, other))
        assert bounded("x", figure, least=least, most=most).holds == (least <= figure <= most)

    @pytest.mark.parametrize("limits", [{"least": 0.0, "most": None}, {"least": None, "most": 0.0}])
    def test_what_is_no_number_never_holds(self, limits: dict[str, Any]) -> None:
        assert not bounded("x", float("nan"), **limits).holds


class TestMetrics:
    def test_each_metric_is_compared_with_its_bounds(self) -> None:
        declared = metrics.MetricsConfig({"auc": Bounds(min=0.8), "brier": Bounds(max=0.2)})
        found = {each.name: each.holds for each in metrics.check(declared, scored(auc=0.9, brier=0.3))}
        assert found == {"auc": True, "brier": False}

    def test_a_score_that_was_not_logged_is_taken_of_the_held_out_rows(self) -> None:
        found = evidence([0, 1, 1, 0], [0.1, 0.9, 0.2, 0.3])
        (result,) = metrics.check(metrics.MetricsConfig({"matthews_corrcoef": Bounds(min=0.5)}), found)
        assert result.figure == pytest.approx(0.577, abs=1e-3)

    def test_a_metric_that_was_not_logged_is_asked_back(self) -> None:
        with pytest.raises(CouldNotRun, match=r"no metric 'acu', and there is no score 'acu'\. Did you mean 'auc'"):
            list(metrics.check(metrics.MetricsConfig({"acu": Bounds(min=0.8)}), scored(auc=0.9)))


class TestReproducibility:
    @staticmethod
    def judged(first: dict[str, float], second: dict[str, float] | None, tolerance: float = 1e-6) -> CheckResult:
        found = replace(scored(**first), fetch_reproduced_metrics=lambda: second)
        (result,) = reproducibility.check(reproducibility.ReproducibilityConfig(tolerance=tolerance), found)
        return result

    @given(st.dictionaries(st.sampled_from(["auc", "brier", "f1"]), st.floats(0, 1), min_size=1))
    def test_the_same_metrics_hold(self, scores: dict[str, float]) -> None:
        assert self.judged(scores, scores).holds

    @given(st.floats(0, 1), st.floats(0, 1), st.floats(1e-6, 0.5))
    def test_metrics_hold_within_the_tolerance(self, first: float, second: float, tolerance: float) -> None:
        found = self.judged({"auc": first}, {"auc": second}, tolerance)
        assert found.holds == (abs(first - second) <= tolerance)

    def test_the_metric_that_differs_most_is_named(self) -> None:
        found = self.judged({"auc": 0.8, "f1": 0.7}, {"auc": 0.81, "f1": 0.5})
        assert found.reason == "f1 was 0.7 at first and 0.5 the second time"

    def test_a_metric_that_is_no_number_does_not_hold(self) -> None:
        assert not self.judged({"auc": 0.8, "f1": 0.7}, {"auc": 0.8, "f1": float("nan")}).holds

    def test_one_training_is_not_enough(self) -> None:
        with pytest.raises(CouldNotRun, match="trained once only") as stopped:
            self.judged({"auc": 0.8}, None)
        assert "reproduces=JOB" in stopped.value.remedy

    @pytest.mark.parametrize("second", [{"auc": 0.8}, {"auc": 0.8, "f1": 0.7, "brier": 0.1}])
    def test_trainings_that_log_different_metrics_cannot_be_compared(self, second: dict[str, float]) -> None:
        with pytest.raises(CouldNotRun, match="different metrics"):
            self.judged({"auc": 0.8, "f1": 0.7}, second)

    def test_trainings_that_log_nothing_cannot_be_compared(self) -> None:
        with pytest.raises(CouldNotRun, match="none at all"):
            self.judged({}, {})


class TestSize:
    @given(st.lists(st.integers(0, 3000), min_size=1, max_size=4))
    def test_every_file_of_the_model_counts(self, tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
        folder = tmp_path_factory.mktemp("model")
        (folder / "deep").mkdir()
        for number, length in enumerate(sizes):
            (folder / "deep" / f"{number}.bin").write_bytes(bytes(length))
        found = replace(evidence([0], [0]), the_candidate=FakeModel(folder=folder))
        (result,) = size.check(size.SizeConfig(max_mb=0.004), found)
        assert result.figure == pytest.approx(sum(sizes) / 1e6)
        assert result.holds == (sum(sizes) <= 4000)


class TestSuites:
    @staticmethod
    def judged(run: SuiteRun | None, *, coverage: float | None = None, **declared: Any) -> list[CheckResult]:
        runs = [run] if run else []
        found = replace(evidence([0], [0]), commit="abc", fetch_suites=lambda: runs, fetch_coverage=lambda: coverage)
        return list(suites.check(suites.SuitesConfig(**{"layers": {"unit": 10}, **declared}), found))

    GOOD = SuiteRun("unit", passed=12, failed=0, skipped=1, commit="abc")

    def test_a_layer_that_passed_on_this_commit_holds(self) -> None:
        (found,) = self.judged(self.GOOD)
        assert found.holds
        assert found.reason == "12 tests passed, 1 skipped"

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"failed": 1}, "1 failed"),
            ({"passed": 9}, "9 passed, at least 10 are required"),
            ({"commit": "def"}, "it ran on commit def, this is abc"),
        ],
    )
    def test_a_layer_does_not_hold(self, changed: dict[str, Any], reason: str) -> None:
        (found,) = self.judged(replace(self.GOOD, **changed))
        assert not found.holds
        assert found.reason == reason

    def test_changes_that_are_not_in_the_commit_are_said_and_no_failure(self) -> None:
        (found,) = self.judged(replace(self.GOOD, dirty=True))
        assert found.holds
        assert found.reason.endswith("with changes that are not in the commit")

    def test_a_layer_that_left_no_report_is_named(self) -> None:
        with pytest.raises(CouldNotRun, match="the unit suite has left no report") as stopped:
            self.judged(None)
        assert stopped.value.remedy == "run 'nox -s unit' first"

    def test_a_layer_that_does_not_exist_is_asked_back(self) -> None:
        with pytest.raises(CouldNotRun, match=r"no layer 'unti'\. Did you mean 'unit'"):
            self.judged(self.GOOD, layers={"unti": 10})

    @pytest.mark.parametrize(("coverage", "holds"), [(96.0, True), (94.9, False)])
    def test_the_coverage_has_a_floor(self, coverage: float, holds: bool) -> None:
        assert self.judged(self.GOOD, coverage=coverage, min_coverage=95)[-1].holds == holds

    def test_a_coverage_that_was_not_measured_is_named(self) -> None:
        with pytest.raises(CouldNotRun, match="no suite has left its coverage"):
            self.judged(self.GOOD, min_coverage=95)
