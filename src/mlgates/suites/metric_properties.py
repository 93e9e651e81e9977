"""Properties of training code: what is measured is measured on held-out rows, and says how good the model is."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from mlgates.evaluation.answers import Answers
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import SCORES, Score, find_score
from mlgates.evaluation.target import Task
from mlgates.suites.drawn_tables import TableSchema
from mlgates.suites.sabotage import Fault, broken
from mlgates.suites.table_changes import flipped, with_labels
from mlgates.suites.training_code import Trained, TrainingCode
from mlgates.suites.training_config import UNCHECKED
from mlgates.suites.training_fixtures import Draw, TrainingFixtures, drawn, draws, held

AGREE = 0.35
"""Of the rows at most this share may keep its class when all labels are flipped."""


class MetricProperties(TrainingFixtures):
    """A metric is what its name says, of the rows that were held out."""

    @held
    @given(draw=draws)
    def test_every_metric_is_that_of_the_held_out_rows(
        self, code: TrainingCode, schema: TableSchema, draw: Draw
    ) -> None:
        """Recomputed from the model and the held-out rows, each metric is the one that training tells."""
        trained = code.train(drawn(code, schema, draw))
        rows, answers = asked(code, trained)
        compared = 0
        for name, score in scores(code, trained, rows):
            told, found = trained.metrics[name], score(rows, answers)
            compared += 1
            if recomputed(told, found):
                continue
            raise pytest.fail.Exception(_why(code, trained, score, name, told, found), pytrace=False)
        assert compared, "no metric could be recomputed: say which scores they are (scores in mlops/training.yml)"

    @held
    @given(draw=draws)
    def test_every_metric_is_a_number(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """There are metrics, and each is finite."""
        metrics = code.train(drawn(code, schema, draw)).metrics
        assert metrics, "training tells no metric"
        odd = [name for name, each in metrics.items() if not (isinstance(each, int | float) and math.isfinite(each))]
        assert not odd, f"no finite numbers: {', '.join(odd)}"

    @pytest.mark.parametrize("fault", list(Fault))
    def test_what_fails_in_evaluation_is_not_hidden(
        self, code: TrainingCode, schema: TableSchema, fault: Fault
    ) -> None:
        """Training ends with an error when its model cannot be evaluated, and not with made-up metrics."""
        table = drawn(code, schema, Draw(0, 0))
        model = code.train(table).model
        with broken(model, fault) as called:
            try:
                metrics = code.train(table).metrics
            except Exception:  # noqa: BLE001 - as it should: whatever the project raises
                return
        assert called, f"training evaluates without asking the model ({type(model).__name__}) anything"
        raise pytest.fail.Exception(
            f"a model that {fault} is evaluated all the same, with {dict(metrics)}: let what fails in evaluation fail "
            "the training",
            pytrace=False,
        )

    @held
    @given(draw=draws)
    def test_predictions_are_labels(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """A model answers what the label column holds: classes, and no probabilities of them; or finite numbers."""
        trained = code.train(drawn(code, schema, draw))
        config = code.evaluation
        if config.probabilities or config.prediction or config.interval:
            asked(code, trained)
            return
        found = code.predict(trained, trained.rows(trained.test))
        try:
            code.target(trained).encode(list(np.asarray(found).ravel()), "prediction")
        except CouldNotRun as error:
            raise pytest.fail.Exception(
                f"{error}. If these are probabilities, declare so in gates.yml (evaluation.probabilities)",
                pytrace=False,
            ) from None

    @held
    @given(draw=draws)
    def test_flipped_labels_flip_what_is_predicted(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """With each class in the place of its opposite, or mirrored numbers, a model says the opposite."""
        table = drawn(code, schema, draw)
        other = flipped(table, schema)
        one, two = code.train(table), code.train(other)
        rows = one.rows(one.test)
        ours, theirs = (pd.Series(np.asarray(code.predict(each, rows)).ravel()) for each in (one, two))
        if not schema.classes:
            correlation = float(np.corrcoef(ours.astype(float), theirs.astype(float))[0, 1])
            assert not correlation > 0, (
                f"mirrored labels leave what is predicted as it was (correlation {correlation:.2f})"
            )
            return
        kept = float((ours.astype(str) == theirs.astype(str)).mean())
        middle = len(schema.classes) % 2 / len(schema.classes)
        assert kept <= AGREE + middle, f"flipped labels leave {kept:.0%} of the predictions as they were"

    @held
    @given(draw=draws)
    def test_a_shuffled_label_scores_like_chance(self, code: TrainingCode, schema: TableSchema, draw: Draw) -> None:
        """Where there is nothing to learn, no metric says otherwise."""
        table = drawn(code, schema, draw)
        shuffled = with_labels(table, schema, draw.chance.permutation(len(table)))
        trained = code.train(shuffled)
        rows, answers = asked(code, trained)
        for name, most in by_chance(rows):
            own = SCORES[name](rows, answers)
            told = [trained.metrics[each] for each, score in scores(code, trained, rows) if score is SCORES[name]]
            worst = max([own, *told])
            assert not worst > most, (
                f"{name} is {worst:.3f} with shuffled labels, where chance reaches {most:.3f} at most: does a feature "
                "know the label, or is the metric that of training rows?"
            )


def recomputed(told: float, found: float) -> bool:
    """Return whether a metric is the figure that was found."""
    return math.isclose(told, found, rel_tol=1e-6, abs_tol=1e-9)


def asked(code: TrainingCode, trained: Trained) -> tuple[Rows, Answers]:
    """Return the held-out rows and the model's answers; what cannot be judged fails the test by its message."""
    try:
        return code.answers(trained, trained.test)
    except CouldNotRun as error:
        raise pytest.fail.Exception(f"{error}. {error.remedy}", pytrace=False) from None


def scores(code: TrainingCode, trained: Trained, rows: Rows) -> Iterator[tuple[str, Score]]:
    """Yield each metric of a training with the score that it is."""
    for name in trained.metrics:
        declared = code.config.scores.get(name, name)
        if declared == UNCHECKED:
            continue
        try:
            yield name, find_score(declared, rows.target, code.root)
        except CouldNotRun as error:
            raise pytest.fail.Exception(
                f"metric '{name}': {error}. Say which it is (mlops/training.yml, scores.{name}), or '{UNCHECKED}'",
                pytrace=False,
            ) from None


def _why(code: TrainingCode, trained: Trained, score: Score, name: str, told: float, found: float) -> str:
    text = f"training tells {name} = {told:.6g}, and on the held-out rows it is {found:.6g}"
    if recomputed(told, score(*code.answers(trained, trained.train))):
        return f"{text}: it was measured on training rows"
    rows, answers = asked(code, trained)
    for other, each in scores(code, trained, rows):
        if recomputed(told, each(rows, answers)):
            return f"{text}: what it tells is {other}"
    return text


def by_chance(rows: Rows) -> Iterator[tuple[str, float]]:
    """Yield scores with what they reach by chance at most: four standard deviations above the expected."""
    if rows.target.task is Task.REGRESSION:
        yield "r2", 4 * math.sqrt(2 / len(rows))
        return
    counts = np.bincount(rows.labels.astype(np.int64), minlength=len(rows.target.classes))
    usual = float(counts.max() / len(rows))
    yield "accuracy", usual + 4 * math.sqrt(usual * (1 - usual) / len(rows))
    if rows.target.task is Task.BINARY and counts.min():
        yield "auc", 0.5 + 4 * math.sqrt(sum(1 / each for each in counts) / 12)
