"""What checks look at: fetched once, and one clear line when it is not there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.gates.errors import CouldNotRun
from mlgates.gates.evidence import Evidence, Model, Table
from mlgates.gates.suite_reports import read_coverage, read_suites
from mlgates.gates.workspace import read_table, rows_named, table_of
from tests.unit.mlgates.gates.fakes import NOWHERE, FakeModel, evidence

# mlflow.pyfunc warns about type hints of its own while it is imported
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")

FEATURES = pd.DataFrame({"p": [0.1, 0.9]})


class Loaded(Model):
    """A model that was loaded already."""

    def __init__(self, loaded: object) -> None:
        super().__init__("classifier:1", NOWHERE, sha256="", tags={})
        self.__dict__["_loaded"] = loaded


class Sklearn:
    """What scikit-learn's classifiers have."""

    def predict(self, features: pd.DataFrame) -> list[int]:
        return [0 for _ in features["p"]]

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        return np.column_stack([1 - features["p"], features["p"]])


class TestModel:
    def test_classes_and_probabilities_are_numbers(self) -> None:
        model = Loaded(Sklearn())
        assert model.classes(FEATURES).dtype == np.int64
        assert list(model.probabilities(FEATURES)) == [0.1, 0.9]

    def test_a_model_without_probabilities_is_said(self) -> None:
        with pytest.raises(CouldNotRun, match="classifier:1 gives no probabilities"):
            Loaded(object()).probabilities(FEATURES)

    def test_a_model_that_wants_other_columns_is_said(self) -> None:
        with pytest.raises(CouldNotRun, match="classifier:1 cannot predict the held-out rows: KeyError: 'p'"):
            Loaded(Sklearn()).classes(FEATURES.rename(columns={"p": "q"}))


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
            def probabilities(self, features: pd.DataFrame) -> np.ndarray:
                asked.append(str(self))
                return super().probabilities(features)

        found = replace(evidence([0, 1], [0, 1]), the_candidate=Counting(), champion=Counting("classifier:1"))
        for model in (found.candidate, found.champion, found.candidate):
            assert model
            found.probabilities(model)
        assert asked == ["classifier:2", "classifier:1"]

    def test_metrics_are_those_that_the_lineage_has(self) -> None:
        found = evidence([0], [0], tags={"metric.auc": "0.5", "job": "j"})
        assert found.metrics(found.candidate) == {"auc": 0.5}


class TestHeldOutRows:
    DATA = pd.DataFrame({"id": [7, 8, 9], "age": [20, 30, 40], "ill": [0, 1, 0]})

    def test_features_come_in_the_order_of_the_signature_and_the_label_apart(self) -> None:
        found = table_of(self.DATA, [2, 0], 3, label="ill", features=["age", "id"])
        assert found.features.to_dict("list") == {"age": [40.0, 20.0], "id": [9.0, 7.0]}
        assert list(found.labels) == [0, 0]
        assert list(found.rows) == ["id", "age", "ill"]

    def test_rows_of_other_data_are_refused(self) -> None:
        with pytest.raises(CouldNotRun, match=r"held_out\.json was drawn from 4 rows, and the data has 3"):
            table_of(self.DATA, [2], 4, label="ill", features=["age"])

    @pytest.mark.parametrize(("label", "features"), [("sick", ["age"]), ("ill", ["sick"])])
    def test_a_column_that_is_not_there_is_named(self, label: str, features: list[str]) -> None:
        with pytest.raises(CouldNotRun, match="the data has no column sick"):
            table_of(self.DATA, [2], 3, label=label, features=features)

    @given(st.integers(1, 100).flatmap(lambda of: st.tuples(st.lists(st.integers(0, of - 1), min_size=1), st.just(of))))
    def test_the_rows_are_those_that_are_named(self, named: tuple[list[int], int]) -> None:
        rows, of = named
        assert rows_named(f'{{"rows": {rows}, "of": {of}}}') == named

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "{}", '{"rows": [1]}', '{"rows": 1, "of": 2}', '{"rows": [], "of": 2}', '{"rows": [2], "of": 2}'],
    )
    def test_anything_else_says_what_is_due(self, text: str) -> None:
        with pytest.raises(CouldNotRun, match=r"held_out\.json does not say which rows were set aside"):
            rows_named(text)

    def test_data_that_is_no_table_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "data.csv").write_text('"')
        with pytest.raises(CouldNotRun, match="data patients:1 is not a CSV table: "):
            read_table(tmp_path / "data.csv", "patients:1")

    def test_a_table_without_other_columns_has_its_features_alone(self) -> None:
        assert Table(FEATURES, np.array([0, 1])).rows.empty


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
