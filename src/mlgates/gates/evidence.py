"""What checks look at. Each part is fetched when the first check asks for it, once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from mlgates.core.values import UNKNOWN, metrics_of
from mlgates.evaluation.answers import Answers, Probabilities
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import DEFAULT, Score, find_score
from mlgates.evaluation.target import EvaluationConfig, Labels, Target, Task
from mlgates.gates.cache import Cache
from mlgates.gates.resolution import REQUIREMENTS, Resolution, python_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """What one layer of tests did, as its JUnit report tells."""

    layer: str
    passed: int
    failed: int
    skipped: int
    commit: str
    """The commit that was tested; `unknown` when the report does not say."""
    dirty: bool = False
    """True when the sources differed from that commit."""
    reason: str = ""
    """Why the commit is unknown."""


def _nothing(model: Model) -> Any:
    raise CouldNotRun(f"nothing was fetched for {model}")


@dataclass
class Evidence:
    """All that the checks of one gate may ask for; the callables fetch, and may raise `CouldNotRun`."""

    root: Path
    """The project's folder, which declared paths are relative to."""
    the_candidate: Model | None = None
    """None at a gate that is about a commit, and no model yet."""
    champion: Model | None = None
    config: EvaluationConfig = field(default_factory=lambda: EvaluationConfig(task=Task.NONE))
    """How models are judged, whatever the gate: the section `evaluation` of gates.yml."""
    fetch_held_out: Callable[[Model], Rows] = _nothing
    """The rows that a model was not trained on."""
    fetch_features: Callable[[Model, Rows], pd.DataFrame] = lambda _, rows: rows.features
    """Those rows as another model's own signature has them."""
    fetch_training_set: Callable[[Model], pd.DataFrame] = _nothing
    """The whole table that a model was trained on, held-out rows and label included."""
    fetch_reproduced_metrics: Callable[[], Mapping[str, float] | None] = lambda: None
    """What a second training from the same build scored; None when there was none."""
    fetch_resolution: Callable[[Model], Resolution] = _nothing
    """What the package index makes of a model's requirements."""
    fetch_suites: Callable[[], Sequence[SuiteRun]] = tuple
    fetch_coverage: Callable[[], float | None] = lambda: None
    """Of lines and branches by the unit and contract suites, in percent; None when it was not measured."""
    commit: str = UNKNOWN
    """The commit that the gate is about."""
    cache: Cache = field(default_factory=Cache)
    """Keeps what takes long to find out and follows from content."""
    _kept: dict[str, Any] = field(default_factory=dict)

    @property
    def candidate(self) -> Model:
        """The model that the gate is about. Raises `CouldNotRun` when there is none."""
        if self.the_candidate is None:
            raise CouldNotRun("this gate has no candidate", remedy="declare the check at the dev or the prod gate")
        return self.the_candidate

    @cached_property
    def held_out(self) -> Rows:
        """The candidate's held-out rows, on which champion and candidate are compared. Raises `CouldNotRun`."""
        found = self.fetch_held_out(self.candidate)
        if not len(found):
            raise CouldNotRun("there are no held-out rows", remedy="have training set some aside")
        return found

    @property
    def labelled(self) -> Rows:
        """The held-out rows, with labels to judge by. Raises `CouldNotRun` for the task `none`."""
        if self.held_out.target.task is Task.NONE:
            raise CouldNotRun("there are no labels to judge by", remedy="declare evaluation.label")
        return self.held_out

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.held_out.target

    def metrics(self, model: Model) -> Mapping[str, float]:
        """Return what `model` was logged to score, by its lineage."""
        return metrics_of(model.tags)

    def answers(self, model: Model) -> Answers:
        """Return what `model` says of the held-out rows."""
        return self._once(f"answers {model}", lambda: model.answer(self._rows_for(model), self.config))

    def _rows_for(self, model: Model) -> Rows:
        """Return the held-out rows with the columns of the model's own signature, in its order and types."""
        rows = self.held_out
        if model is self.the_candidate:
            return rows
        return replace(rows, features=self.fetch_features(model, rows))

    def classes(self, model: Model) -> Labels:
        """Return what `model` predicts for the held-out rows: the number of the class (of a binary task 0 or 1)."""
        return self.answers(model).values

    def probabilities(self, model: Model) -> Probabilities:
        """Return the probability of the positive class of each held-out row. Raises `CouldNotRun` without any."""
        answers = self.answers(model)
        if answers.probabilities is None or self.target.task is not Task.BINARY:
            raise CouldNotRun(
                f"{model} gives no probability of a positive class",
                remedy="use a classifier with predict_proba, or declare its outputs (evaluation.probabilities)",
            )
        return answers.positive

    def score(self, name: str, *, lower_is_better: bool | None = None) -> Score:
        """Return a score by its name; the usual one of the task for an empty name. Raises `CouldNotRun`."""
        chosen = name or DEFAULT[self.labelled.target.task]
        return find_score(chosen, self.target, self.root, lower_is_better=lower_is_better)

    def training_set(self, model: Model) -> pd.DataFrame:
        """Return the table that `model` was trained on."""
        return self._once(f"training set {model}", lambda: self.fetch_training_set(model))

    def resolution(self, model: Model) -> Resolution:
        """Return what the package index makes of the requirements of `model`: an answer holds for a day."""
        file = model.folder / REQUIREMENTS
        content = file.read_text(encoding="utf-8") if file.is_file() else ""
        about = ["resolution", content, python_of(model.folder) or ""]
        return Resolution.from_dict(self.cache.once(about, lambda: self.fetch_resolution(model).to_dict()))

    def _once(self, key: str, fetch: Callable[[], T]) -> T:
        if key not in self._kept:
            self._kept[key] = fetch()
        kept: T = self._kept[key]
        return kept
