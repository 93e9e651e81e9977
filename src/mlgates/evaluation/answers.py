"""What a model says of rows: its outputs read as predictions and probabilities, and refused by name when they are none.

An MLflow model may answer with a list, an array, a frame of several columns, probabilities in place of classes. Here
this becomes one form, and nothing that is missing, infinite, too short or no probability gets past.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.target import EvaluationConfig, Labels, Target, Task, in_order

Probabilities: TypeAlias = npt.NDArray[np.float64]
_ROUNDING = 1e-3
"""By how much the probabilities of a row may be off 1 in all: models compute with 32 bits."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says of rows."""

    values: Labels
    """The number of the predicted class, or the predicted quantity, of each row."""
    probabilities: Probabilities | None = None
    """Of each row (first axis) and class (second axis), which add up to 1; None when the model gives none."""
    interval: npt.NDArray[np.float64] | None = None
    """Of each row the lower and the upper bound, where declared."""

    @property
    def positive(self) -> Probabilities:
        """The probability of the second class, which of a binary task is the positive one. Raises `CouldNotRun`."""
        return self.by_class[:, 1]

    @property
    def by_class(self) -> Probabilities:
        """The probabilities. Raises `CouldNotRun` when there are none."""
        if self.probabilities is None:
            raise CouldNotRun("the model gives no probabilities", remedy="use a classifier with predict_proba")
        return self.probabilities

    def take(self, numbers: npt.NDArray[np.int64]) -> "Answers":
        """Return the answers to the rows of these numbers."""
        return Answers(
            self.values[numbers],
            None if self.probabilities is None else self.probabilities[numbers],
            None if self.interval is None else self.interval[numbers],
        )


def answers_of(
    raw: Any,
    rows: int,
    target: Target,
    config: EvaluationConfig,
    *,
    whose: str,
    native: tuple[Any, Sequence[Any] | None] | None = None,
) -> Answers:
    """Return what `raw`, the output of a pyfunc for so many `rows`, says.

    `native` are the probabilities that the model's own flavor gives, and the classes that its columns stand for. Raises
    `CouldNotRun` for anything that cannot be judged; `whose` it is is told.
    """
    outputs = frame_of(raw, rows, whose)
    if target.task is Task.NONE:
        return Answers(np.empty(0))
    if not target.task.classifies:
        values = target.encode(outputs[_chosen(outputs, config, whose)], f"prediction of {whose}")
        return Answers(values, interval=_interval(outputs, config, whose))
    matrix: Probabilities | None
    if config.probabilities:
        matrix = _declared(outputs, target, config, whose)
        if not config.prediction and not _undeclared(outputs, config):
            return Answers(matrix.argmax(axis=1), matrix)
        return Answers(target.encode(outputs[_chosen(outputs, config, whose)], f"prediction of {whose}"), matrix)
    classes = native[1] if native else None
    matrix = None if config.prediction else _found(outputs, target, config, whose, classes=classes)
    if matrix is not None:
        return Answers(matrix.argmax(axis=1), matrix)
    values = target.encode(outputs[_chosen(outputs, config, whose)], f"prediction of {whose}")
    if native is not None:
        matrix = _of_flavor(*native, rows, target, whose)
    return Answers(values, matrix)


def frame_of(raw: Any, rows: int, whose: str) -> pd.DataFrame:
    """Return the output of a pyfunc as a frame, a row each; outputs without a name are called 0, 1, ..."""
    try:
        if isinstance(raw, pd.DataFrame):
            frame = raw
        elif isinstance(raw, pd.Series):
            frame = raw.to_frame(name=0)
        elif isinstance(raw, dict | list):
            frame = pd.DataFrame(raw)
        else:
            values = np.asarray(raw.toarray() if hasattr(raw, "toarray") else raw)
            frame = pd.DataFrame(values.reshape(len(values), -1) if values.ndim > 1 else values)
    except (ValueError, TypeError) as error:
        raise CouldNotRun(
            f"{whose} answers with a {type(raw).__name__} that is no table of predictions: {str(error)[:200]}",
            remedy="return a list, an array or a data frame with a prediction for each row",
        ) from error
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise CouldNotRun(f"{whose} has two outputs '{twice}'", remedy="give each output a name of its own")
    if len(frame) != rows:
        raise CouldNotRun(
            f"{whose} gave {len(frame)} predictions for {rows} rows", remedy="answer every row, and none twice"
        )
    return frame.reset_index(drop=True)


def _chosen(outputs: pd.DataFrame, config: EvaluationConfig, whose: str) -> Any:
    """Return the column of the prediction."""
    names = {str(name): name for name in outputs.columns}
    if config.prediction:
        if config.prediction not in names:
            raise CouldNotRun(
                f"{whose} has no output '{config.prediction}', but {', '.join(names)}",
                remedy="correct evaluation.prediction",
            )
        return names[config.prediction]
    left = _undeclared(outputs, config)
    if len(left) != 1:
        raise CouldNotRun(
            f"{whose} has {len(left)} outputs ({', '.join(map(str, left[:6]))}), and none is said to be the prediction",
            remedy="name it: evaluation.prediction, and probabilities by evaluation.probabilities",
        )
    return left[0]


def _undeclared(outputs: pd.DataFrame, config: EvaluationConfig) -> list[Any]:
    """Return the outputs that are declared as nothing else: one of them is the prediction."""
    return [name for name in outputs.columns if str(name) not in {*config.probabilities, *config.interval}]


def _declared(outputs: pd.DataFrame, target: Target, config: EvaluationConfig, whose: str) -> Probabilities:
    """Return the probabilities by the outputs that are declared as such."""
    columns: dict[int, npt.NDArray[np.float64]] = {}
    for output, name in config.probabilities.items():
        found = next((each for each in outputs.columns if str(each) == output), None)
        if found is None:
            raise CouldNotRun(f"{whose} has no output '{output}'", remedy="correct evaluation.probabilities")
        (place,) = target.encode([name], f"class {name!r} of evaluation.probabilities")
        columns[int(place)] = _floats(outputs[found], whose)
    if target.task is Task.BINARY and len(columns) == 1:
        ((place, given),) = columns.items()
        columns[1 - place] = 1 - given
    if missing := [str(name) for place, name in enumerate(target.classes) if place not in columns]:
        raise CouldNotRun(
            f"no output of {whose} is declared as the probability of {', '.join(missing)}",
            remedy="name one for each class in evaluation.probabilities",
        )
    return checked(np.column_stack([columns[place] for place in range(len(columns))]), whose)


def _found(
    outputs: pd.DataFrame, target: Target, config: EvaluationConfig, whose: str, *, classes: Sequence[Any] | None
) -> Probabilities | None:
    """Return the outputs as probabilities when that is what they are; None when they are classes.

    `classes` are those of the model, in the order of its columns, where it says so.
    """
    if not all(pd.api.types.is_float_dtype(dtype) for dtype in outputs.dtypes):
        return None
    values = outputs.to_numpy(dtype=np.float64)
    if np.isnan(values).any() or values.min(initial=0) < 0 or values.max(initial=0) > 1:
        return None
    if values.shape[1] == 1 and target.task is Task.BINARY and not np.isin(values, (0.0, 1.0)).all():
        return checked(_of_one_class(values[:, 0], target, config, whose), whose)
    adds_up = values.shape[1] > 1 and np.allclose(values.sum(axis=1), 1, atol=_ROUNDING)
    if adds_up and classes is not None and len(classes) == values.shape[1]:
        return _of_flavor(values, classes, len(values), target, whose)
    if values.shape[1] == len(target.classes) and adds_up:
        names = [str(name) for name in outputs.columns]
        named = set(names) == {str(each) for each in target.classes} and names != [*map(str, range(len(names)))]
        return checked(values[:, _places(target, names if named else in_order(target.classes))], whose)
    return None


def _of_one_class(
    given: npt.NDArray[np.float64], target: Target, config: EvaluationConfig, whose: str
) -> Probabilities:
    """Return both probabilities from one: of the declared positive class, else of the higher number (1 of 0, 1)."""
    if config.positive is not None:
        return np.column_stack([1 - given, given])
    if any(isinstance(each, str) for each in target.classes):
        shown = " or ".join(map(str, target.classes))
        raise CouldNotRun(
            f"{whose} gives one probability a row, and nobody says whether that of {shown}",
            remedy="declare it: evaluation.positive, or evaluation.probabilities by the name of the output",
        )
    return np.column_stack([1 - given, given])[:, _places(target, in_order(target.classes))]


def _of_flavor(given: Any, classes: Sequence[Any] | None, rows: int, target: Target, whose: str) -> Probabilities:
    matrix = np.asarray(given, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != rows or matrix.shape[1] > len(target.classes):
        raise CouldNotRun(
            f"{whose} gives probabilities of shape {matrix.shape} for {rows} rows and {len(target.classes)} classes",
            remedy="declare all classes (evaluation.classes)",
        )
    if classes is not None:
        places = target.encode(list(classes), f"classes of {whose}")
    else:
        places = target.encode(in_order(target.classes)[: matrix.shape[1]], "classes")
    full = np.zeros((rows, len(target.classes)))  # a class that the model never saw has no chance with it
    full[:, places.astype(np.int64)] = matrix
    return checked(full, whose)


def checked(matrix: Probabilities, whose: str) -> Probabilities:
    """Return probabilities by row and class. Raises `CouldNotRun` when they are none."""
    remedy = "see what the model computes as probabilities"
    if odd := int((~np.isfinite(matrix)).any(axis=1).sum()):
        raise CouldNotRun(f"{whose} gives no number as probability in {odd} of {len(matrix)} rows", remedy=remedy)
    if matrix.min(initial=0) < -_ROUNDING or matrix.max(initial=0) > 1 + _ROUNDING:
        raise CouldNotRun(
            f"{whose} gives probabilities from {matrix.min():.3g} to {matrix.max():.3g}, not from 0 to 1", remedy=remedy
        )
    off = np.abs(matrix.sum(axis=1) - 1)
    if len(off) and off.max() > _ROUNDING:
        row = int(off.argmax())
        raise CouldNotRun(
            f"{whose} gives probabilities that add up to {matrix[row].sum():.4g} in row {row + 1}, not to 1",
            remedy=remedy,
        )
    clipped: Probabilities = matrix.clip(0.0, 1.0)
    return clipped


def _places(target: Target, columns: Sequence[Any]) -> list[int]:
    """Return, for each class of the target in its order, at which place of `columns` it is."""
    texts = [str(each) for each in columns]
    return [texts.index(str(each)) for each in target.classes]


def _floats(column: pd.Series, whose: str) -> npt.NDArray[np.float64]:
    try:
        return pd.to_numeric(column).to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise CouldNotRun(f"output '{column.name}' of {whose} is no number", remedy="correct evaluation") from error


def _interval(outputs: pd.DataFrame, config: EvaluationConfig, whose: str) -> npt.NDArray[np.float64] | None:
    if not config.interval:
        return None
    names = {str(name): name for name in outputs.columns}
    if missing := [each for each in config.interval if each not in names]:
        raise CouldNotRun(f"{whose} has no output '{missing[0]}'", remedy="correct evaluation.interval")
    low, high = (_floats(outputs[names[each]], whose) for each in config.interval)
    if not (np.isfinite(low).all() and np.isfinite(high).all()) or (low > high).any():
        raise CouldNotRun(
            f"the interval of {whose} ({', '.join(config.interval)}) has bounds that are missing or crossed",
            remedy="correct what the model computes, or the order of evaluation.interval",
        )
    return np.column_stack([low, high])
