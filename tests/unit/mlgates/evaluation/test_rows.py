import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlgates.contract.model_folder import read_contract
from mlgates.contract.signature import Column, DataType, ModelContract
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.held_out import read_held_out
from mlgates.evaluation.rows import features_of, rows_of, typed
from mlgates.evaluation.target import EvaluationConfig, find_target

DATA = pd.DataFrame({"id": [7, 8, 9], "age": [20, 30, 40], "zip": ["02134", "10001", None], "ill": ["no", "yes", "no"]})
CONFIG = EvaluationConfig(label="ill")


@pytest.fixture
def contract(tmp_path: Path) -> ModelContract:
    inputs = [{"type": "double", "name": "age"}, {"type": "string", "name": "zip", "required": False}]
    signature = {"inputs": json.dumps(inputs), "outputs": "[]"}
    (tmp_path / "MLmodel").write_text(yaml.safe_dump({"signature": signature}))
    return read_contract(tmp_path)


class TestRows:
    def test_features_come_in_the_order_of_the_signature_and_the_label_apart(self, contract: ModelContract) -> None:
        found = rows_of(DATA, find_target(CONFIG, DATA["ill"]), contract, CONFIG)
        assert list(found.features) == ["age", "zip"]
        assert found.features["zip"].tolist() == ["02134", "10001", None]
        assert (list(found.labels), list(found.rows)) == ([0, 1, 0], ["id", "age", "zip", "ill"])

    def test_a_column_that_is_required_and_not_there_is_named(self, contract: ModelContract) -> None:
        with pytest.raises(CouldNotRun, match="the data has no column age, which the model's signature requires"):
            features_of(DATA.drop(columns="age"), contract, set())
        assert list(features_of(DATA.drop(columns="zip"), contract, set())) == ["age"]

    def test_a_model_that_takes_its_own_label_is_told_nothing(self, contract: ModelContract) -> None:
        config = EvaluationConfig(label="age")
        with pytest.raises(CouldNotRun, match="the model takes its own label age as a feature"):
            rows_of(DATA, find_target(config, DATA["age"]), contract, config)

    def test_weights_are_numbers_of_0_and_more(self, contract: ModelContract) -> None:
        target = find_target(CONFIG, DATA["ill"])
        weighted = EvaluationConfig(label="ill", weights="id")
        assert rows_of(DATA, target, contract, weighted).weights is not None
        with pytest.raises(CouldNotRun, match="the weights in id must be numbers of 0 and more"):
            rows_of(DATA.assign(id=[-1, 0, 1]), target, contract, weighted)


class TestTyped:
    @given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
    def test_whole_numbers_stay_exact(self, drawn: list[int]) -> None:
        assert typed(pd.Series(drawn), Column("n", DataType.LONG)).tolist() == drawn

    @given(st.lists(st.booleans(), min_size=1))
    def test_booleans_are_read_in_any_spelling(self, drawn: list[bool]) -> None:
        for spelled in (drawn, [str(each).lower() for each in drawn], [int(each) for each in drawn]):
            assert typed(pd.Series(spelled), Column("b", DataType.BOOLEAN)).tolist() == drawn

    def test_numbers_are_texts_where_the_signature_says_so(self) -> None:
        column = pd.Series([2134.0, np.nan, 10001.0])
        assert typed(column, Column("zip", DataType.STRING)).dropna().tolist() == ["2134", "10001"]

    def test_dates_are_moments_without_a_zone(self) -> None:
        found = typed(pd.Series(["2026-01-31", "2026-02-01T12:00:00+02:00"]), Column("day", DataType.DATETIME))
        assert found.dt.tz is None

    @pytest.mark.parametrize(
        ("values", "data_type", "wrong"),
        [
            ([1, "x"], DataType.DOUBLE, "column c, row 2: 'x' is no double"),
            ([1, 2.7], DataType.LONG, r"column c, row 2: (np.float64\()?2\.7\)? is no long"),
            ([1, None], DataType.LONG, "column c misses values, and the signature says long, which cannot"),
            (["yes", "true"], DataType.BOOLEAN, "column c, row 1: 'yes' is no boolean"),
            (["soon"], DataType.DATETIME, "column c, row 1: 'soon' is no datetime"),
            (["05/03/2026"], DataType.DATETIME, "column c, row 1: '05/03/2026' is no datetime"),
            ([20260131], DataType.DATETIME, "column c holds numbers, and the signature says datetime"),
            ([3_000_000_000], DataType.INTEGER, "column c, row 1: .*3000000000.* is no integer"),
            ([1e300], DataType.FLOAT, "column c, row 1: .*1e.300.* is no float"),
        ],
    )
    def test_another_type_is_named_with_its_place(self, values: list[object], data_type: DataType, wrong: str) -> None:
        with pytest.raises(CouldNotRun, match=wrong):
            typed(pd.Series(values), Column("c", data_type))


class TestHeldOut:
    TABLE = pd.DataFrame({"id": ["a", "b", "c"], "day": ["2026-01-01", "2026-02-01", "2026-03-01"], "n": [1, 2, 3]})

    @given(st.integers(1, 100).flatmap(lambda of: st.tuples(st.lists(st.integers(0, of - 1), min_size=1), st.just(of))))
    def test_the_rows_are_those_that_are_named(self, named: tuple[list[int], int]) -> None:
        rows, of = named
        found = read_held_out(json.dumps({"rows": rows, "of": of})).of_table(pd.DataFrame({"n": range(of)}))
        assert found["n"].tolist() == rows

    @pytest.mark.parametrize(
        ("named", "rows"),
        [
            ({"column": "id", "values": ["c", "a"]}, [1, 3]),
            ({"column": "n", "values": [2]}, [2]),
            ({"column": "day", "from": "2026-02-01"}, [2, 3]),
            ({"column": "n", "from": 3}, [3]),
            ({"data": "test:1"}, [1, 2, 3]),
        ],
    )
    def test_rows_are_found_by_what_they_hold(self, named: dict[str, object], rows: list[int]) -> None:
        assert read_held_out(json.dumps(named)).of_table(self.TABLE)["n"].tolist() == rows

    def test_rows_of_other_data_are_refused(self) -> None:
        with pytest.raises(CouldNotRun, match=r"held_out\.json was drawn from 4 rows, and the data has 3"):
            read_held_out('{"rows": [2], "of": 4}').of_table(self.TABLE)
        with pytest.raises(CouldNotRun, match=r"held_out\.json names 1 values of id that are not in the data: z"):
            read_held_out('{"column": "id", "values": ["a", "z"]}').of_table(self.TABLE)
        with pytest.raises(CouldNotRun, match=r"no row of the data is one that held_out\.json names by day"):
            read_held_out('{"column": "day", "from": "2027-01-01"}').of_table(self.TABLE)
        with pytest.raises(CouldNotRun, match=r"held_out\.json names a number, and day holds none"):
            read_held_out('{"column": "day", "from": 2026}').of_table(self.TABLE)

    def test_gaps_are_never_held_out(self) -> None:
        table = pd.DataFrame({"n": pd.array([1, None, 3], dtype="Int64"), "id": [1.0, None, 3.0]})
        assert read_held_out('{"column": "n", "from": 2}').of_table(table)["n"].tolist() == [3]
        assert read_held_out('{"column": "id", "values": [1, 3]}').of_table(table)["n"].tolist() == [1, 3]

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "{}", '{"rows": [1]}', '{"rows": 1, "of": 2}', '{"rows": [], "of": 2}', '{"rows": [2], "of": 2}',
         '{"column": "day", "from": "soon"}', '{"data": "test"}'],
    )  # fmt: skip
    def test_anything_else_says_what_is_due(self, text: str) -> None:
        with pytest.raises(CouldNotRun, match=r"held_out\.json does not say which rows were set aside"):
            read_held_out(text)
