"""Properties of training code: what is odd in a table is taken or refused, as declared."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from mlgates.suites.drawn_tables import Content, TableSchema
from mlgates.suites.table_changes import UNSEEN
from mlgates.suites.training_code import Trained, TrainingCode
from mlgates.suites.training_config import Reaction
from mlgates.suites.training_fixtures import Draw, TrainingFixtures, drawn, draws, held


class OddityProperties(TrainingFixtures):
    """One row, a constant column, an unseen category, a missing value."""

    @held
    @given(draw=draws)
    def test_one_row_is_predicted_as_among_others(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """A request of one row is answered, and as in a larger one."""
        trained = code.train(drawn(code, schema, draw))
        rows = trained.rows(trained.test)
        alone, among = (code.everything(trained, each) for each in (rows.head(1), rows))
        for name, values in alone.items():
            assert len(values) == 1, f"{name} of one row gives {len(values)} answers"
            same = np.allclose(values[0], among[name][0]) if values.dtype.kind == "f" else values[0] == among[name][0]
            assert same, f"{name} of a row depends on the rows beside it"

    def test_a_single_row_is_no_table_to_train_on(self, code: TrainingCode, schema: TableSchema) -> None:
        """`single_row` of mlops/training.yml says whether training takes it; by default it refuses."""
        table = drawn(code, schema, Draw(0, 0)).head(1)
        _hold(lambda: code.train(table), code.config.single_row, "single_row", "a table of one row")

    @held
    @given(draw=draws)
    def test_a_constant_feature_is_taken_as_declared(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """`constant_feature` of mlops/training.yml says whether training takes it; by default it does."""
        table = drawn(code, schema, draw)
        if len(schema.features) < 2:
            pytest.skip("there is no other feature to learn from")
        name = schema.features[int(draw.chance.integers(len(schema.features)))].name
        table[name] = table[name].dropna().iloc[0]
        _hold(lambda: code.train(table), code.config.constant_feature, "constant_feature", f"a constant {name}")

    @held
    @given(draw=draws)
    def test_an_unseen_category_is_taken_as_declared(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """`unseen_category` of mlops/training.yml says whether a model takes it; by default it does."""
        trained = code.train(drawn(code, schema, draw))
        words = [
            each.name
            for each in schema.features
            if each.content in {Content.CATEGORY, Content.TEXT}
            and each.name in trained.features
            and not pd.api.types.is_numeric_dtype(trained.table[each.name])
        ]
        if not words:
            pytest.skip("no feature holds words")
        rows = trained.rows(trained.test).assign(**dict.fromkeys(words, UNSEEN))
        _hold_prediction(code, trained, rows, code.config.unseen_category, "unseen_category", f"a new word in {words}")

    @held
    @given(draw=draws)
    def test_a_missing_value_is_taken_as_declared(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """`missing_value` of mlops/training.yml says so; by default a model takes one where the suite allows it."""
        trained = code.train(drawn(code, schema, draw))
        wanted = code.config.missing_value
        names = [
            each.name
            for each in schema.features
            if each.name in trained.features and each.content is not Content.BOOLEAN and (wanted or each.gaps)
        ]
        if not names:
            pytest.skip("the suite allows no missing value in a feature")
        rows = trained.rows(trained.test)
        for name in names:
            gap = rows.assign(**{name: rows[name].mask(rows[name].notna())})
            _hold_prediction(code, trained, gap, wanted or Reaction.ACCEPT, "missing_value", f"a missing {name}")


def _hold_prediction(
    code: TrainingCode, trained: Trained, rows: pd.DataFrame, wanted: Reaction, key: str, what: str
) -> None:
    def ask() -> None:
        found = len(np.asarray(code.predict(trained, rows)))
        assert found == len(rows), f"{what}: {found} predictions for {len(rows)} rows"

    _hold(ask, wanted, key, what)


def _hold(do: Callable[[], object], wanted: Reaction, key: str, what: str) -> None:
    """Fail unless what is odd is taken or refused as declared."""
    try:
        do()
    except AssertionError:
        raise
    except Exception as error:
        if wanted is Reaction.REFUSE:
            return
        raise pytest.fail.Exception(
            f"{what} is refused: {type(error).__name__}: {str(error)[:300]}. If that is meant, declare "
            f"`{key}: refuse` in mlops/training.yml",
            pytrace=False,
        ) from error
    assert wanted is Reaction.ACCEPT, (
        f"{what} is taken. If that is meant, declare `{key}: accept` in mlops/training.yml"
    )
