"""Properties of training code: which rows it learns from, and which it is judged on."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given

from mlgates.suites.drawn_tables import TableSchema
from mlgates.suites.fitted import difference, facts_of
from mlgates.suites.table_changes import moved
from mlgates.suites.training_code import Trained, TrainingCode
from mlgates.suites.training_fixtures import Draw, TrainingFixtures, drawn, draws, held

END = 20
"""One of so many training rows is among the first or the last."""


class SplitProperties(TrainingFixtures):
    """Every row is on one side of the split, what is held out stays unknown, and what is known counts."""

    @held
    @given(draw=draws)
    def test_every_row_is_in_one_part(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """No row is lost, rows with gaps neither, and none is in both parts."""
        table = drawn(code, schema, draw)
        trained = code.train(table)
        both = set(trained.train) & set(trained.test)
        assert not both, f"{len(both)} rows are trained on and held out"
        lost = len(table) - len(set(trained.train) | set(trained.test))
        assert not lost, f"{lost} of {len(table)} rows are in neither part: were those with gaps dropped?"
        assert len(trained.train), "no row is trained on"
        assert len(trained.test), "no row is held out"

    @held
    @given(draw=draws)
    def test_another_seed_holds_out_other_rows(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """The split is drawn by its seed."""
        if code.config.time:
            pytest.skip(f"the split is by time ({code.config.time}), and not drawn")
        name = code.config.split_seed
        assert code.has_setting(name), (
            f"no setting '{name}' seeds the split: name it (split_seed in mlops/training.yml)"
        )
        table = drawn(code, schema, draw)
        seeds: list[dict[str, Any]] = [{name: 1}, {name: 2}]
        one, other = (list(code.train(table, **seed).test) for seed in seeds)
        assert sorted(one) != sorted(other), f"{name} 1 and 2 hold out the same rows: hand the seed on to the split"

    @held
    @given(draw=draws)
    def test_rows_in_the_order_of_the_label_are_split_all_the_same(
        self, code: TrainingCode, schema: TableSchema, draw: Draw
    ) -> None:
        """A table that comes sorted by its label has all of it on both sides."""
        if code.config.time:
            pytest.skip(f"the split is by time ({code.config.time})")
        label = schema.label.name
        trained = code.train(drawn(code, schema, draw).sort_values(label, kind="stable", ignore_index=True))
        train, test = (trained.table.loc[each, label] for each in (trained.train, trained.test))
        if schema.classes:
            missing = set(train.unique()) ^ set(test.unique())
            assert not missing, f"of a table sorted by its label, only one part has {missing}: shuffle before the split"
            return
        apart = abs(float(train.mean()) - float(test.mean())) / (float(trained.table[label].std()) or 1.0)
        assert apart < 0.8, "of a table sorted by its label, one part has the low and one the high: shuffle it"

    @held
    @given(draw=draws)
    def test_no_group_is_on_both_sides(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """Rows of one group are like each other: to have seen some is to know the others."""
        if not (group := code.config.group):
            pytest.skip("no group is declared (group in mlops/training.yml)")
        table = drawn(code, schema, draw)
        trained = code.train(table)
        both = set(table.loc[trained.train, group]) & set(table.loc[trained.test, group])
        assert not both, f"{len(both)} values of {group} are on both sides of the split"

    @held
    @given(draw=draws)
    def test_held_out_rows_come_later(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """Nothing is learned from what comes after what is predicted."""
        if not (time := code.config.time):
            pytest.skip("no time is declared (time in mlops/training.yml)")
        table = drawn(code, schema, draw)
        trained = code.train(table)
        last, first = table.loc[trained.train, time].max(), table.loc[trained.test, time].min()
        assert last <= first, f"trained on rows up to {last}, and held out rows begin at {first}"

    @held
    @given(draw=draws)
    def test_nothing_of_held_out_rows_reaches_what_is_fitted(
        self, code: TrainingCode, schema: TableSchema, draw: Draw
    ) -> None:
        """Other values in held-out rows change no parameter: neither the model's nor that of a scaler or an encoder."""
        before = code.train(drawn(code, schema, draw))
        after = retrained(code, schema, draw, before)
        found = difference(facts_of(before.model), facts_of(after.model))
        assert not found, (
            f"other values in the held-out rows change {found}: fit the preprocessing, too, on training rows alone"
        )

    @held
    @given(draw=draws)
    def test_all_training_rows_count(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """Other values in the first or the last training rows give another model."""
        table = drawn(code, schema, draw)
        before = code.train(table)
        facts = facts_of(before.model)
        for name, rows in _ends(before.train).items():
            after = code.train(moved(table, rows, schema.features, unseen=False))
            if list(after.train) != list(before.train):
                pytest.skip("the split depends on the values of the rows: declare group or time (mlops/training.yml)")
            assert difference(facts, facts_of(after.model)), (
                f"other values in the {name} of {len(before.train)} training rows change nothing: are they trained on?"
            )


def _ends(train: pd.Index) -> dict[str, pd.Index]:
    """Return the first and the last rows, as they come out of the split and as they stand in the table."""
    few = max(2, len(train) // END)
    ordered = train.sort_values()
    return {f"last {few}": train[-few:], f"first {few}": train[:few], f"last {few} of the table": ordered[-few:]}


def retrained(code: TrainingCode, schema: TableSchema, draw: Draw, before: Trained) -> Trained:
    """Return what is trained on the same table with other values in the rows that were held out."""
    table = drawn(code, schema, draw)
    try:
        after = code.train(moved(table, before.test, schema.features, unseen=True))
    except Exception:  # noqa: BLE001 - training may refuse words that nobody declared
        after = code.train(moved(table, before.test, schema.features, unseen=False))
    if list(after.train) != list(before.train):
        pytest.skip("the split depends on the values of the rows: declare group or time (mlops/training.yml)")
    return after
