"""What is predicted: the task, its classes, and labels as numbers that every score can take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, model_validator

from mlgates.config.declaring import Strict
from mlgates.evaluation.errors import CouldNotRun

Labels: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.float64]
"""Numbers of classes (of a binary task 1 is the positive one), or what a regression predicts."""
LabelValue: TypeAlias = bool | int | float | str
MOST_CLASSES = 20
"""Whole numbers with more different values than this are taken for quantities, unless gates.yml says otherwise."""
_POSITIVE = ("true", "yes", "y", "positive", "pos")
_SHOWN = 5


class Task(StrEnum):
    """What kind of prediction a model makes."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    NONE = "none"
    """Nothing that could be right or wrong, such as a clustering: checks that need labels cannot run."""

    @property
    def classifies(self) -> bool:
        """True when predictions are classes."""
        return self in {Task.BINARY, Task.MULTICLASS}


class EvaluationConfig(Strict):
    """How candidates are judged, whatever the gate."""

    label: str = ""
    """The column of the training data that is predicted; may be left out for the task `none` alone."""
    task: Task | None = Field(default=None, strict=False)
    """`binary`, `multiclass`, `regression` or `none`; by default found out from the labels, and said in the record."""
    positive: LabelValue | None = None
    """Of a binary task the class whose probability is meant; by default true or yes, else the last in order."""
    classes: list[LabelValue] = Field(default_factory=list)
    """All classes, in the order in which they are shown; by default those of the training data, sorted."""
    weights: str = ""
    """A column with the weight of each row, for scores that can take one."""
    prediction: str = ""
    """Of a model with several outputs the one that is the prediction."""
    probabilities: dict[str, LabelValue] = Field(default_factory=dict)
    """Of a model whose outputs are probabilities: by output the class that it is the probability of."""
    interval: list[str] = Field(default_factory=list, max_length=2)
    """Of a regression whose outputs bound the prediction: the lower and the upper one."""

    @model_validator(mode="after")
    def _is_one_task(self) -> "EvaluationConfig":
        if self.task is not Task.NONE and not self.label:
            raise ValueError("say which column is predicted (evaluation.label), or task: none")
        if len(self.interval) == 1:
            raise ValueError("interval names two outputs, the lower and the upper bound")
        if self.task and not self.task.classifies and (self.classes or self.positive is not None or self.probabilities):
            raise ValueError(f"a task '{self.task}' has no classes: leave out positive, classes and probabilities")
        if self.task is Task.BINARY and self.classes and len(self.classes) != 2:
            raise ValueError("a binary task has two classes")
        if self.positive is not None and self.classes and plain(self.positive) not in map(plain, self.classes):
            raise ValueError(f"positive is {self.positive!r}, which is not among classes")
        return self


def plain(value: Any) -> LabelValue:
    """Return a label as Python has it: numpy's scalars unpacked, whole floats as whole numbers."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, bool | int | float | str) else str(value)


@dataclass(frozen=True, slots=True)
class Target:
    """What a label column holds, so that labels and predictions meet as the same numbers."""

    task: Task
    label: str = ""
    classes: tuple[LabelValue, ...] = ()
    """Of a classifier: the place of a class is its number; of a binary task the second is the positive one."""
    inferred: str = ""
    """What was found out and not declared, for the record; empty when all was declared."""

    @property
    def summary(self) -> str:
        """In one phrase."""
        shown = ", ".join(map(str, self.classes[:_SHOWN])) + (", ..." if len(self.classes) > _SHOWN else "")
        text = f"{self.task} of {self.label}" if self.label else str(self.task)
        text += f" ({shown}; positive: {self.classes[1]})" if self.task is Task.BINARY else f" ({shown})" * bool(shown)
        return f"{text}, {self.inferred}" if self.inferred else text

    def encode(self, values: Any, whose: str) -> Labels:
        """Return labels or predicted classes as numbers; `whose` they are is told in errors.

        Raises `CouldNotRun` for what is missing, not finite or no class.
        """
        column = pd.Series(np.asarray(values, dtype=object) if isinstance(values, list) else values)
        if missing := int(column.isna().sum()):
            raise CouldNotRun(
                f"{whose}: {missing} of {len(column)} values are missing (NaN)",
                remedy="leave out the rows without a label" if "label" in whose else "mend the model",
            )
        if not self.task.classifies:
            return self._numbers(column, whose)
        if any(isinstance(each, list | dict | set | np.ndarray) for each in column):
            raise CouldNotRun(f"{whose}: lists and no single values", remedy="return one class for each row")
        numbers = {name: number for number, name in enumerate(self.classes)}
        texts = {str(name): number for name, number in numbers.items()}
        known = {each: numbers.get(plain(each), texts.get(str(plain(each)), -1)) for each in column.unique()}
        if strange := [plain(each) for each, number in known.items() if number < 0]:
            raise CouldNotRun(
                f"{whose}: {_listed(strange)} is none of the classes {_listed(self.classes)}",
                remedy="declare all classes (evaluation.classes), or the task that it is (evaluation.task)",
            )
        return column.map(known).to_numpy(dtype=np.int64)

    def _numbers(self, column: pd.Series, whose: str) -> npt.NDArray[np.float64]:
        try:
            numbers = pd.to_numeric(column).to_numpy(dtype=np.float64)
        except (ValueError, TypeError) as error:
            raise CouldNotRun(
                f"{whose}: not numbers ({str(error).splitlines()[0]})", remedy="is it a regression? (evaluation.task)"
            ) from error
        if odd := int((~np.isfinite(numbers)).sum()):
            raise CouldNotRun(f"{whose}: {odd} of {len(numbers)} values are infinite", remedy="mend what computes them")
        return numbers


NO_TARGET = Target(Task.NONE)


def find_target(
    config: EvaluationConfig, labels: pd.Series | None, *, classifier: Callable[[], bool | None] = lambda: None
) -> Target:
    """Return what is predicted, as declared, and the rest from all `labels` of the training data.

    `classifier` returns what the model says of itself, None when it says nothing; it decides where whole numbers could
    be classes or quantities, and is not asked elsewhere. Raises `CouldNotRun` for labels that are not of the task.
    """
    if config.task is Task.NONE:
        return NO_TARGET
    if labels is None:
        raise CouldNotRun(f"the data has no column {config.label}", remedy="name the label in gates.yml")
    present = _simple(labels.dropna())
    if present.empty:
        raise CouldNotRun(f"the label {config.label} has no values", remedy="name another column (evaluation.label)")
    found = [plain(each) for each in present.unique()]
    task = config.task or _task_of(present, found, config, classifier=classifier)
    inferred = [] if config.task else [f"task found from {len(found)} different labels"]
    if not task.classifies:
        return Target(task, config.label, inferred="; ".join(inferred))
    classes = tuple(map(plain, config.classes)) or in_order(found)
    if strange := [each for each in found if each not in classes and str(each) not in map(str, classes)]:
        raise CouldNotRun(
            f"the label {config.label} holds {_listed(strange)}, which is none of the classes {_listed(classes)}",
            remedy="declare all (evaluation.classes); quote 'yes' and 'no', which YAML takes for true and false",
        )
    if len(classes) < 2:
        raise CouldNotRun(
            f"the label {config.label} is {_listed(classes)} in every row: there is nothing to tell apart",
            remedy="train on data with both classes",
        )
    target = Target(task, config.label, classes, "; ".join(inferred))
    return _binary(target, config) if task is Task.BINARY else target


def _simple(labels: pd.Series) -> pd.Series:
    """Return categories as what they are categories of, and decimal numbers as numbers."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        labels = labels.astype(labels.dtype.categories.dtype)
    if labels.dtype == object and all(isinstance(each, Decimal) for each in labels):
        labels = labels.astype("float64")
    return labels


def _task_of(
    labels: pd.Series, found: Sequence[LabelValue], config: EvaluationConfig, *, classifier: Callable[[], bool | None]
) -> Task:
    several = Task.BINARY if len(config.classes or found) <= 2 else Task.MULTICLASS
    if config.classes or config.positive is not None or config.probabilities:
        return several
    if config.interval:
        return Task.REGRESSION
    if not pd.api.types.is_numeric_dtype(labels) or pd.api.types.is_bool_dtype(labels):
        return several
    if not all(isinstance(each, int) for each in found):
        return Task.REGRESSION
    told = None if len(found) <= 2 else classifier()
    quantities = len(found) > MOST_CLASSES if told is None else not told
    return Task.REGRESSION if quantities else several


def in_order(classes: Sequence[LabelValue]) -> tuple[LabelValue, ...]:
    """Return classes as scikit-learn and the boosting libraries order them: sorted."""
    try:
        return tuple(sorted(classes))
    except TypeError:  # numbers beside texts
        return tuple(sorted(classes, key=str))


def _binary(target: Target, config: EvaluationConfig) -> Target:
    if len(target.classes) != 2:
        raise CouldNotRun(
            f"the label {target.label} has {len(target.classes)} classes, two are needed: {_listed(target.classes)}",
            remedy="declare task: multiclass, or train on two of them",
        )
    named = config.positive if config.positive is not None else None
    if named is not None:
        positive = next((each for each in target.classes if str(each) == str(plain(named))), None)
        if positive is None:
            raise CouldNotRun(
                f"the label {target.label} is never {named!r}, declared as positive, but {_listed(target.classes)}",
                remedy="correct evaluation.positive; quote 'yes' and 'no', which YAML takes for true and false",
            )
        inferred = target.inferred
    else:
        likely = [each for each in target.classes if str(each).lower() in _POSITIVE]
        positive = likely[0] if len(likely) == 1 else target.classes[1]
        inferred = "; ".join(filter(None, (target.inferred, f"{positive} taken for the positive class")))
    negative = next(each for each in target.classes if each != positive)
    return replace(target, classes=(negative, positive), inferred=inferred)


def _listed(values: Sequence[LabelValue]) -> str:
    shown = ", ".join(map(repr, values[:_SHOWN]))
    return f"{shown} and {len(values) - _SHOWN} more" if len(values) > _SHOWN else shown
