"""The check of data, by Great Expectations."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.gates import CheckResult
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.cache import Cache
from mlgates.gates.checks import data
from tests.unit.mlgates.gates.fakes import evidence


class TestData:
    TABLE = pd.DataFrame({"age": [20, 30, 40]})

    @staticmethod
    def judged(folder: Path, table: pd.DataFrame, *, cache: Cache | None = None) -> CheckResult:
        expectation = {
            "type": "expect_column_max_to_be_between",
            "kwargs": {"column": "age", "max_value": 100},
            "notes": "In years.",
        }
        (folder / "suite.json").write_text(json.dumps({"name": "patients", "expectations": [expectation]}))
        found = replace(evidence([0], [0]), root=folder, fetch_training_set=lambda _: table, cache=cache or Cache())
        (result,) = data.check(data.DataConfig(suite="suite.json"), found)
        return result

    def test_data_that_meets_its_suite_holds(self, tmp_path: Path) -> None:
        assert self.judged(tmp_path, self.TABLE).holds

    def test_data_that_does_not_says_what_was_found(self, tmp_path: Path) -> None:
        found = self.judged(tmp_path, self.TABLE.assign(age=[20, 30, 400]))
        assert not found.holds
        assert "patients: 0 of 1 expectations met; not met: age: " in found.reason
        assert "In years." in found.reason

    @pytest.mark.parametrize(
        ("failed", "reason"),
        [
            ([], "patients: 5 of 5 expectations met"),
            (["age"], "patients: 4 of 5 expectations met; not met: age"),
            (["age", "bmi"], "patients: 3 of 5 expectations met; not met: age and 1 more"),
            (["age", "bmi", "sex"], "patients: 2 of 5 expectations met; not met: age and 2 more"),
        ],
    )
    def test_what_is_not_met_is_counted_and_the_first_of_it_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: list[str], reason: str
    ) -> None:
        validated = {"suite": "patients", "checked": 5, "failed": failed}
        monkeypatch.setattr(data, "_validated", lambda *_: validated)
        found = self.judged(tmp_path, self.TABLE)
        assert (found.reason, found.figure, found.holds) == (reason, len(failed), not failed)

    def test_the_same_data_is_not_validated_again(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path / "cache")
        first = self.judged(tmp_path, self.TABLE, cache=cache)
        (kept,) = (tmp_path / "cache").iterdir()
        document = json.loads(kept.read_text())
        document["found"]["suite"] = "from the cache"
        kept.write_text(json.dumps(document))
        assert first.reason.startswith("patients: ")
        assert self.judged(tmp_path, self.TABLE, cache=cache).reason.startswith("from the cache: ")

    def test_other_data_is(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path / "cache")
        self.judged(tmp_path, self.TABLE, cache=cache)
        assert not self.judged(tmp_path, self.TABLE.assign(age=[20, 30, 400]), cache=cache).holds

    def test_a_suite_that_is_not_there_is_named(self) -> None:
        with pytest.raises(CouldNotRun, match=r"there is no suite suite\.json"):
            list(data.check(data.DataConfig(suite="suite.json"), evidence([0], [0])))

    def test_a_suite_that_is_none_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "suite.json").write_text("{}")
        found = replace(evidence([0], [0]), root=tmp_path, fetch_training_set=lambda _: self.TABLE)
        with pytest.raises(CouldNotRun, match=r"suite\.json: a suite has a 'name'"):
            list(data.check(data.DataConfig(suite="suite.json"), found))

    @given(st.lists(st.integers(-5, 5), min_size=1), st.lists(st.integers(-5, 5), min_size=1))
    def test_tables_have_the_same_content_when_their_rows_are_the_same(self, one: list[int], other: list[int]) -> None:
        ours, theirs = (data.content_of(pd.DataFrame({"age": values})) for values in (one, other))
        assert (ours == theirs) == (one == other)

    def test_the_content_has_the_names_of_the_columns(self) -> None:
        assert data.content_of(self.TABLE) != data.content_of(self.TABLE.rename(columns={"age": "years"}))
