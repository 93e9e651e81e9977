"""A project's training as the suite calls it: tables in, and out of each outcome its model, rows and metrics."""

import dataclasses
import importlib
import inspect
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlgates.config.project import Project
from mlgates.core.errors import ConfigurationError, MlgatesError
from mlgates.core.nearest import did_you_mean
from mlgates.evaluation.answers import Answers, answers_of
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import load_function
from mlgates.evaluation.target import EvaluationConfig, Target, find_target
from mlgates.suites.training_config import TrainingConfig


class SuiteCannotRun(MlgatesError):
    """The suite cannot call the training code as it is declared."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training gave."""

    outcome: Any
    table: pd.DataFrame
    """The rows that it was given, prepared."""
    model: Any
    train: pd.Index
    test: pd.Index
    metrics: Mapping[str, float]
    features: tuple[str, ...]

    def rows(self, index: pd.Index) -> pd.DataFrame:
        """Return the features of some rows."""
        return self.table.loc[index, list(self.features)]


class TrainingCode:
    """The function that trains, with what it is given."""

    def __init__(self, config: TrainingConfig, evaluation: EvaluationConfig, root: Path) -> None:
        self.config = config
        self.evaluation = evaluation
        self.root = root

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The training function."""
        return load_function(self.config.training, self.root)

    @property
    def file(self) -> Path:
        """Where the training function is written."""
        return Path(inspect.getfile(inspect.unwrap(self.function)))

    def prepare(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table as training takes it."""
        if not self.config.prepare:
            return table
        prepared: pd.DataFrame = load_function(self.config.prepare, self.root)(table)
        return prepared

    @property
    def project(self) -> Project:
        """The project that it is part of."""
        return Project(self.root)

    def train(self, table: pd.DataFrame, *, only: Mapping[str, Any] | None = None, **values: Any) -> Trained:
        """Train on a table, by the declared settings (or `only` these) and `values`.

        Raises whatever the training raises.
        """
        prepared = self.prepare(table.copy())
        given = prepared.copy()
        with warnings.catch_warnings(), _one_thread():
            warnings.simplefilter("ignore")  # of solvers that do not converge: drawn tables hold little to learn
            outcome = self._called(given, {**(self.config.values if only is None else only), **values})
        return self._trained(outcome, prepared)

    def _called(self, table: pd.DataFrame, values: dict[str, Any]) -> Any:
        if self.config.settings:
            return self.function(table, load_function(self.config.settings, self.root)(**values))
        return self.function(table, **values)

    def _trained(self, outcome: Any, prepared: pd.DataFrame) -> Trained:
        where = self.config.outcome
        model = self._part(outcome, where.model, "model")
        test = self._part(outcome, where.test, "test")
        metrics = self._part(outcome, where.metrics, "metrics")
        if dataclasses.is_dataclass(metrics) and not isinstance(metrics, type):
            metrics = dataclasses.asdict(metrics)
        if not isinstance(metrics, Mapping):
            raise SuiteCannotRun(
                f"mlops/training.yml, outcome.metrics: a {type(metrics).__name__}, no names and numbers"
            )
        return Trained(
            outcome,
            prepared,
            model,
            _index(self._part(outcome, where.train, "train")),
            _index(test),
            dict(metrics),
            self._features(model, test),
        )

    def _part(self, outcome: Any, path: str, key: str) -> Any:
        found = outcome
        for name in path.split("."):
            if isinstance(found, Mapping) and name in found:
                found = found[name]
            elif name.isdigit() and isinstance(found, list | tuple) and int(name) < len(found):
                found = found[int(name)]
            elif hasattr(found, name):
                found = getattr(found, name)
            else:
                known = [each for each in (found if isinstance(found, Mapping) else dir(found)) if each[:1] != "_"]
                raise SuiteCannotRun(
                    f"mlops/training.yml, outcome.{key}: what {self.config.training} returns has no '{path}'. "
                    f"{did_you_mean(name, known)}"
                )
        return found

    def _features(self, model: Any, test: Any) -> tuple[str, ...]:
        if self.config.features:
            return tuple(_constant(self.config.features))
        told = getattr(model, "feature_names_in_", None)
        if told is None and isinstance(test, pd.DataFrame):
            told = [each for each in test.columns if each not in {self.evaluation.label, self.evaluation.weights}]
        if told is None:
            raise SuiteCannotRun("mlops/training.yml: say which columns a model is asked with (features: module:NAME)")
        return tuple(map(str, told))

    def has_setting(self, name: str) -> bool:
        """Return whether the settings take a keyword."""
        made = load_function(self.config.settings, self.root) if self.config.settings else self.function
        parameters = inspect.signature(made).parameters.values()
        return any(each.name == name or each.kind is each.VAR_KEYWORD for each in parameters)

    def predict(self, trained: Trained, features: pd.DataFrame) -> Any:
        """Return what a model says of rows, as it is."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return trained.model.predict(features)

    def target(self, trained: Trained) -> Target:
        """Return what is predicted, as gates.yml declares it and the labels of the table tell."""
        return find_target(self.evaluation, trained.table[self.evaluation.label])

    def answers(self, trained: Trained, index: pd.Index) -> tuple[Rows, Answers]:
        """Return rows with their labels, and what the model says of them, as the gates read it."""
        target, features = self.target(trained), trained.rows(index)
        labels = target.encode(trained.table.loc[index, self.evaluation.label], "label")
        rows = Rows(features, labels, trained.table.loc[index], target)
        native = None
        if target.task.classifies and callable(getattr(trained.model, "predict_proba", None)):
            native = (trained.model.predict_proba(features), getattr(trained.model, "classes_", None))
        raw = self.predict(trained, features)
        return rows, answers_of(raw, len(rows), target, self.evaluation, whose="the model", native=native)

    def everything(self, trained: Trained, features: pd.DataFrame) -> dict[str, Any]:
        """Return all that a model says of rows: predictions, probabilities, distances."""
        methods = ("predict", "predict_proba", "decision_function")
        found = {each: getattr(trained.model, each, None) for each in methods}
        return {name: np.asarray(ask(features)) for name, ask in found.items() if callable(ask)}


def _one_thread() -> AbstractContextManager[Any]:
    """Keep linear algebra to one thread: for small tables, more of them wait for each other most of the time."""
    try:
        control = importlib.import_module("threadpoolctl")  # scikit-learn brings it
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = control.threadpool_limits(limits=1)
    return limits


def _index(rows: Any) -> pd.Index:
    if isinstance(rows, pd.DataFrame | pd.Series):
        return rows.index
    return rows if isinstance(rows, pd.Index) else pd.Index(rows)


def _constant(name: str) -> list[str]:
    module, _, constant = name.partition(":")
    found = getattr(importlib.import_module(module), constant, None)
    if not isinstance(found, list | tuple):
        raise ConfigurationError(f"mlops/training.yml, features: {name} is no list of columns")
    return [str(each) for each in found]
