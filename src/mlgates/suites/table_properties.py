"""Properties of training code: what a table looks like beside its values changes no model."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mlgates.suites.drawn_tables import Content, TableSchema
from mlgates.suites.fitted import difference, facts_of
from mlgates.suites.table_changes import INDEXES, with_copies
from mlgates.suites.training_code import Trained, TrainingCode
from mlgates.suites.training_fixtures import Draw, TrainingFixtures, drawn, draws, held


def unlike(one: Trained, other: Trained) -> str:
    """Return in what two trainings differ; nothing when they are the same."""
    if one.metrics != other.metrics:
        return f"the metrics: {dict(one.metrics)} and {dict(other.metrics)}"
    return difference(facts_of(one.model), facts_of(other.model))


def assert_same_answers(code: TrainingCode, trained: Trained, one: pd.DataFrame, other: pd.DataFrame, why: str) -> None:
    """Fail unless the model says the same of two tables."""
    ours, theirs = (code.everything(trained, each) for each in (one, other))
    for name, values in ours.items():
        same = (
            np.allclose(values, theirs[name], rtol=1e-9) if values.dtype.kind == "f" else (values == theirs[name]).all()
        )
        assert same, f"{why}: {name} gives another answer"


class TableProperties(TrainingFixtures):
    """The order and the names of what is in a table, and what is there besides, change no model."""

    @held
    @given(draw=draws)
    def test_the_order_of_columns_changes_no_model(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """Columns are taken by name."""
        table = drawn(code, schema, draw)
        other = table[draw.chance.permutation(table.columns)]
        found = unlike(code.train(table), code.train(other))
        assert not found, f"the same table with its columns in another order gives another model; it differs in {found}"

    @held
    @given(draw=draws)
    def test_the_order_of_columns_changes_no_prediction(
        self, code: TrainingCode, schema: TableSchema, draw: Draw
    ) -> None:
        """A model takes the columns of a request by name."""
        trained = code.train(drawn(code, schema, draw))
        rows = trained.rows(trained.test)
        assert_same_answers(code, trained, rows, rows[rows.columns[::-1]], "columns in another order")

    @held
    @given(draw=draws)
    def test_the_order_of_rows_changes_no_prediction(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """What a model says of a row depends on this row alone."""
        trained = code.train(drawn(code, schema, draw))
        rows = trained.rows(trained.test)
        order = draw.chance.permutation(len(rows))
        ours, theirs = (code.everything(trained, each) for each in (rows, rows.iloc[order]))
        for name, values in ours.items():
            followed = values[order]
            same = np.allclose(followed, theirs[name]) if values.dtype.kind == "f" else (followed == theirs[name]).all()
            assert same, f"{name} of a row depends on where the row stands"

    @held
    @given(draw=draws)
    def test_other_columns_change_no_model(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """Features are named, and not whatever a table holds: a copy of the label may be among that."""
        table = drawn(code, schema, draw)
        found = unlike(code.train(table), code.train(with_copies(table, schema.label.name)))
        assert not found, (
            f"columns that nobody declared, among them a copy of the label, change the model; it differs in {found}. "
            "Choose features by their names, and leave out every other column"
        )

    @held
    @given(draw=draws, kind=st.sampled_from(sorted(INDEXES)))
    def test_the_index_changes_no_model(self, code: TrainingCode, schema: TableSchema, draw: Draw, kind: str) -> None:
        """Rows are told apart by their place, whatever the index of the table is."""
        table = drawn(code, schema, draw)
        other = table.set_axis(INDEXES[kind](len(table)), axis=0)
        found = unlike(code.train(table), code.train(other))
        assert not found, f"the same rows under another index ({kind}) give another model; it differs in {found}"

    @held
    @given(draw=draws)
    def test_the_same_seed_gives_the_same_model(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """Whatever is drawn at random has a seed."""
        table = drawn(code, schema, draw)
        one, other = code.train(table), code.train(table)
        assert list(one.test) == list(other.test), "the same settings hold out other rows: seed the split"
        found = unlike(one, other)
        assert not found, f"the same settings give another model: seed what is fitted. It differs in {found}"

    @held
    @given(draw=draws)
    def test_the_label_is_no_feature(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """A model is asked without the label, and says the same whatever the label is."""
        trained = code.train(drawn(code, schema, draw))
        label = schema.label.name
        assert label not in trained.features, f"the label {label} is among the features"
        known = [each for each in trained.features if each not in trained.table]
        assert not known, f"the model wants columns that no table has: {', '.join(known)}; are they made of the label?"
        rows = trained.rows(trained.test)
        other = rows.assign(**{label: trained.table.loc[trained.test, label].to_numpy()[::-1]})
        assert_same_answers(code, trained, rows, other, "another label")

    @held
    @given(draw=draws)
    def test_forbidden_columns_are_no_features(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """What names a row, and what is forbidden (mlops/training.yml, gates.yml), changes no model."""
        table = drawn(code, schema, draw)
        names = {each.name for each in schema.columns if each.content is Content.IDENTIFIER}
        names |= {each for each in code.config.forbidden if each in table}
        kept = {schema.label.name, code.config.group, code.config.time}
        other = table.copy()
        for name in sorted(names - kept):
            other[name] = other[name].to_numpy()[draw.chance.permutation(len(other))]
        one = code.train(table)
        taken = sorted(set(code.config.forbidden) & set(one.features))
        assert not taken, f"forbidden columns are among the features: {', '.join(taken)}"
        found = unlike(one, code.train(other))
        assert not found, f"the values of {', '.join(sorted(names))} change the model; it differs in {found}"
