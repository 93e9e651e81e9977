"""Scores by name: short names of this project, any scorer of scikit-learn, and functions of one's own.

Figures are scikit-learn's. A binary task has labels 0 and 1, so that scorers which want a positive class find it in 1;
the classes of a multiclass task are the numbers of their places. A function of one's own gets what the data holds.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator

from mlgates.core.nearest import did_you_mean
from mlgates.evaluation.answers import Answers
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.target import Labels, Target, Task

Numbers: TypeAlias = npt.NDArray[np.int64]
"""Of rows, the same row more than once if so drawn."""
Weights: TypeAlias = npt.NDArray[np.float64] | None
ScoreFunction: TypeAlias = Callable[[Labels, Answers, Weights], float]
_EITHER = frozenset({Task.BINARY, Task.MULTICLASS})
_BINARY, _MULTICLASS, _REGRESSION = (frozenset({task}) for task in (Task.BINARY, Task.MULTICLASS, Task.REGRESSION))

# scikit-learn is imported by those that score: a gate about a commit has no model, and need not wait for it.


@dataclass(frozen=True, slots=True)
class Score:
    """A figure of how good answers are."""

    name: str
    of: ScoreFunction
    """Takes labels, answers and weights of the same rows. NaN where the rows do not define it."""
    tasks: frozenset[Task]
    lower_is_better: bool = False
    wants_probabilities: bool = False

    def __call__(self, rows: Rows, answers: Answers) -> float:
        """Return the score. Raises `CouldNotRun` when it is not one of the task, or the answers lack something."""
        if rows.target.task not in self.tasks:
            known = ", ".join(names_of(rows.target.task))
            raise CouldNotRun(
                f"'{self.name}' is no score of a task '{rows.target.task}'. Known: {known}",
                remedy="choose another, or declare the task (evaluation.task)",
            )
        if self.wants_probabilities and answers.probabilities is None:
            raise CouldNotRun(
                f"'{self.name}' needs probabilities, and the model gives none",
                remedy="use a model with predict_proba, or declare its outputs (evaluation.probabilities)",
            )
        return self.of(rows.labels, answers, rows.weights)


def _classes(name: str, **options: Any) -> ScoreFunction:
    """Return a score of scikit-learn that takes labels and predictions."""

    def score(labels: Labels, answers: Answers, weights: Weights) -> float:
        import sklearn.metrics  # noqa: PLC0415

        function = getattr(sklearn.metrics, name)
        return float(function(labels, answers.values, sample_weight=weights, **options))

    return score


def _auc(labels: Labels, answers: Answers, weights: Weights) -> float:
    """Return the area under the ROC curve; NaN unless both classes occur, of which scikit-learn would warn."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    both = 0 < labels.sum() < len(labels)
    return float(roc_auc_score(labels, answers.positive, sample_weight=weights)) if both else float("nan")


def _auc_ovr(labels: Labels, answers: Answers, weights: Weights) -> float:
    """Return the mean over the classes of the AUC of each against the rest; NaN unless all occur."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    classes = np.arange(answers.by_class.shape[1])
    if not np.isin(classes, labels).all():
        return float("nan")
    if len(classes) == 2:
        return _auc(labels, answers, weights)
    options = {"multi_class": "ovr", "labels": classes, "sample_weight": weights}
    return float(roc_auc_score(labels, answers.by_class, **options))


def _brier(labels: Labels, answers: Answers, weights: Weights) -> float:
    """Return the mean squared error of the probability of the positive class."""
    return float(np.average((answers.positive - labels) ** 2, weights=weights))


def _log_loss(labels: Labels, answers: Answers, weights: Weights) -> float:
    from sklearn.metrics import log_loss  # noqa: PLC0415

    classes = np.arange(answers.by_class.shape[1])
    return float(log_loss(labels, answers.by_class, labels=classes, sample_weight=weights))


def _coverage(labels: Labels, answers: Answers, weights: Weights) -> float:
    """Return the share of the rows that lie within the interval, its bounds among it."""
    if answers.interval is None:
        raise CouldNotRun("the model gives no interval", remedy="declare its outputs (evaluation.interval)")
    low, high = answers.interval.T
    return float(np.average((low <= labels) & (labels <= high), weights=weights))


def _width(_: Labels, answers: Answers, weights: Weights) -> float:
    """Return the mean width of the interval."""
    if answers.interval is None:
        raise CouldNotRun("the model gives no interval", remedy="declare its outputs (evaluation.interval)")
    low, high = answers.interval.T
    return float(np.average(high - low, weights=weights))


def _all() -> Iterator[Score]:
    yield Score("accuracy", _classes("accuracy_score"), _EITHER)
    yield Score("balanced_accuracy", _classes("balanced_accuracy_score"), _EITHER)
    yield Score("auc", _auc, _BINARY, wants_probabilities=True)
    yield Score("brier", _brier, _BINARY, lower_is_better=True, wants_probabilities=True)
    yield Score("precision", _classes("precision_score", zero_division=0.0), _BINARY)
    yield Score("recall", _classes("recall_score", zero_division=np.nan), _BINARY)
    yield Score("f1", _classes("f1_score", zero_division=0.0), _BINARY)
    yield Score("auc_ovr", _auc_ovr, _MULTICLASS, wants_probabilities=True)
    yield Score("f1_macro", _classes("f1_score", average="macro", zero_division=0.0), _EITHER)
    yield Score("f1_weighted", _classes("f1_score", average="weighted", zero_division=0.0), _EITHER)
    yield Score("log_loss", _log_loss, _EITHER, lower_is_better=True, wants_probabilities=True)
    yield Score("r2", _classes("r2_score"), _REGRESSION)
    yield Score("rmse", _classes("root_mean_squared_error"), _REGRESSION, lower_is_better=True)
    yield Score("mae", _classes("mean_absolute_error"), _REGRESSION, lower_is_better=True)
    yield Score("median_ae", _classes("median_absolute_error"), _REGRESSION, lower_is_better=True)
    yield Score("mape", _classes("mean_absolute_percentage_error"), _REGRESSION, lower_is_better=True)
    for percent in (5, 10, 50, 90, 95):
        pinball = _classes("mean_pinball_loss", alpha=percent / 100)
        yield Score(f"pinball_{percent}", pinball, _REGRESSION, lower_is_better=True)
    yield Score("coverage", _coverage, _REGRESSION)
    yield Score("interval_width", _width, _REGRESSION, lower_is_better=True)


SCORES = {score.name: score for score in _all()}
"""By the names that training logs them under."""
USUAL = {
    Task.BINARY: ("accuracy", "auc", "brier", "precision", "recall"),
    Task.MULTICLASS: ("accuracy", "auc_ovr", "f1_macro", "f1_weighted", "log_loss"),
    Task.REGRESSION: ("r2", "rmse", "mae", "median_ae"),
    Task.NONE: (),
}
"""What is told of a model of each task, whatever gates.yml asks for."""
PROBABILISTIC = frozenset({"roc_auc", "roc_auc_ovr", "neg_brier_score", "neg_log_loss", "average_precision"})
"""Scorers of scikit-learn that want probabilities."""
DEFAULT = {Task.BINARY: "auc", Task.MULTICLASS: "auc_ovr", Task.REGRESSION: "r2"}
"""In which models are compared when gates.yml does not say."""


def names_of(task: Task) -> list[str]:
    """Return the short names of the scores of a task."""
    return [name for name, score in SCORES.items() if task in score.tasks]


def known_name(name: str) -> str:
    """Return `name` if it can be a score's; scikit-learn is asked for what is none of this project's.

    Raises `ValueError`. Whether the score is one of the task shows when it is used.
    """
    if not name or name in SCORES or ":" in name:
        return name
    from sklearn.metrics import get_scorer_names  # noqa: PLC0415

    if name not in get_scorer_names():
        raise ValueError(f"there is no score '{name}'. {did_you_mean(name, [*SCORES, *get_scorer_names()])}")
    return name


ScoreName: TypeAlias = Annotated[str, AfterValidator(known_name)]
"""In gates.yml: a score's name, a scorer of scikit-learn, or `package.module:function`."""


def find_score(name: str, target: Target, root: Path | None = None, *, lower_is_better: bool | None = None) -> Score:
    """Return a score by its short name, by the name of a scorer of scikit-learn, or by `package.module:function`.

    A function takes labels and predictions, and a third argument, the probabilities, if it has one; it is looked for in
    the project's folder `root` and its `src` as well. `lower_is_better` says so of a function. Raises `CouldNotRun`.
    """
    if name in SCORES:
        return SCORES[name]  # which says so when it is none of the task
    if ":" in name:
        return _own(name, target, root, lower_is_better=bool(lower_is_better))
    from sklearn.metrics import get_scorer, get_scorer_names  # noqa: PLC0415

    if name in get_scorer_names():
        scorer = get_scorer(name)
        of_quantities = scorer._score_func.__module__.endswith("_regression")  # noqa: SLF001 - nothing public tells
        tasks = _REGRESSION if of_quantities else frozenset({*Task}) - _REGRESSION
        return Score(name, _scorer(scorer, target), tasks, wants_probabilities=name in PROBABILISTIC)
    raise CouldNotRun(
        f"there is no score '{name}'. {did_you_mean(name, [*names_of(target.task), *get_scorer_names()])}",
        remedy="use a score of docs/gates.md, a scorer of scikit-learn, or package.module:function",
    )


def _scorer(scorer: Any, target: Target) -> ScoreFunction:
    from mlgates.evaluation.replay import replayed  # noqa: PLC0415 - brings in scikit-learn

    def score(labels: Labels, answers: Answers, weights: Weights) -> float:
        options = {} if weights is None else {"sample_weight": weights}
        try:
            return float(scorer(replayed(target, answers), np.arange(len(labels)).reshape(-1, 1), labels, **options))
        except (ValueError, TypeError, AttributeError) as error:
            first = next(iter(str(error).splitlines()), "")
            raise CouldNotRun(
                f"scikit-learn cannot score that: {first[:200]}", remedy=f"is it a score of a task '{target.task}'?"
            ) from error

    return score


def _own(name: str, target: Target, root: Path | None, *, lower_is_better: bool) -> Score:
    function = load_function(name, root)
    wanted = _wanted(function)

    def score(labels: Labels, answers: Answers, _: Weights) -> float:
        given: list[Any] = [_shown(labels, target), _shown(answers.values, target), answers.probabilities]
        try:
            return float(function(*given[:wanted]))
        except Exception as error:  # whatever somebody else's function raises
            raise CouldNotRun(f"{name} failed: {type(error).__name__}: {error}", remedy="mend the function") from error

    return Score(name, score, frozenset(Task), lower_is_better=lower_is_better)


def _wanted(function: Callable[..., Any]) -> int:
    """Return how many arguments a function takes: two, or three when it cannot do without, or names the third so."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # some that are written in C do not say
        return 2
    by_place = [each for each in parameters if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}]
    needed = sum(each.default is each.empty for each in by_place)
    named = [each.name for each in by_place[2:3]] == ["probabilities"]
    return 3 if needed > 2 or named else 2


def _shown(labels: Labels, target: Target) -> npt.NDArray[Any]:
    if not target.task.classifies:
        return labels
    alike = len({type(each) for each in target.classes}) == 1
    return np.array(target.classes, dtype=None if alike else object)[labels.astype(np.int64)]


def load_function(name: str, root: Path | None = None) -> Callable[..., Any]:
    """Import `package.module:function`, from the project's `src` too. Raises `CouldNotRun` when it is not there."""
    module, _, function = name.partition(":")
    with _path_of(root):
        try:
            found = getattr(importlib.import_module(module), function)
        except Exception as error:  # whatever the import of somebody else's module raises
            raise CouldNotRun(
                f"{name} cannot be imported: {type(error).__name__}: {error}", remedy="write package.module:function"
            ) from error
    if not callable(found):
        raise CouldNotRun(f"{name} is no function", remedy="write package.module:function")
    called: Callable[..., Any] = found
    return called


@contextmanager
def _path_of(root: Path | None) -> Iterator[None]:
    added = [str(root / "src"), str(root)] if root else []
    sys.path[:0] = added
    try:
        yield
    finally:
        for each in added:
            sys.path.remove(each)
