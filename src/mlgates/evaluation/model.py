"""A model version's files, loaded as they are served: by MLflow's pyfunc, with the probabilities of its flavor."""

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from mlgates.core.errors import MlgatesError
from mlgates.evaluation.answers import Answers, answers_of
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.target import EvaluationConfig

_TOLD = 200
"""Characters of an error of the model's own code that a check repeats."""


class Model:
    """A model version's files, and what it predicts."""

    def __init__(self, name: str, folder: Path, *, sha256: str, tags: Mapping[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.sha256 = sha256
        self.tags = tags

    def __str__(self) -> str:
        return self.name

    def answer(self, rows: Rows, config: EvaluationConfig) -> Answers:
        """Return what the model says of `rows`. Raises `CouldNotRun` for what cannot be judged."""
        native = self.probabilities(rows.features) if rows.target.task.classifies else None
        return answers_of(self.predict(rows.features), len(rows), rows.target, config, whose=self.name, native=native)

    def predict(self, features: pd.DataFrame) -> Any:
        """Return what the served model answers to `features`, as it is."""
        return self._ask(lambda: self._pyfunc.predict(self._input(features)))

    def probabilities(self, features: pd.DataFrame) -> tuple[Any, Sequence[Any] | None] | None:
        """Return the probabilities that the model's own flavor gives, and its classes; None when it gives none."""
        native = self._native
        if not callable(getattr(native, "predict_proba", None)):
            return None
        classes = getattr(native, "classes_", None)
        return self._ask(lambda: native.predict_proba(self._input(features))), classes

    @property
    def classifier(self) -> bool | None:
        """What the model says of itself: True of a classifier, False of a regressor; None when it says nothing."""
        native = self._native
        if native is None:
            return None
        kind = getattr(native, "_estimator_type", None)
        try:
            from sklearn.utils import get_tags  # noqa: PLC0415 - brings in scikit-learn

            kind = get_tags(native).estimator_type or kind
        except Exception:  # noqa: BLE001 - not a scikit-learn estimator, or one of an older kind
            kind = kind or None
        if callable(getattr(native, "predict_proba", None)):
            return True
        return {"classifier": True, "regressor": False}.get(str(kind))

    @cached_property
    def _pyfunc(self) -> Any:
        import mlflow.pyfunc  # noqa: PLC0415 - takes seconds, and not every gate has a model

        try:
            return mlflow.pyfunc.load_model(str(self.folder))
        except Exception as error:  # whatever the files raise, the model cannot be judged
            raise CouldNotRun(
                f"{self.name} cannot be loaded: {_told(error)}",
                remedy="train and register it again, with the versions of the project's lock",
            ) from error

    @cached_property
    def _native(self) -> Any:
        """What the flavor wraps, such as a scikit-learn estimator; None when nobody can tell."""
        from mlflow.pyfunc.model import PythonModel  # noqa: PLC0415 - see _pyfunc

        try:
            native = self._pyfunc.get_raw_model()
        except CouldNotRun:
            raise
        except Exception:  # noqa: BLE001 - flavors without one raise what they like
            return None
        # What a pyfunc of one's own answers is declared, and not guessed from its methods.
        return None if isinstance(native, PythonModel) else native

    @cached_property
    def _tensors(self) -> bool:
        from mlgates.contract.model_folder import read_contract  # noqa: PLC0415

        try:
            return bool(read_contract(self.folder).tensors)
        except MlgatesError:
            return False

    def _input(self, features: pd.DataFrame) -> Any:
        return features.to_numpy() if self._tensors else features

    def _ask(self, ask: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the model's own libraries; what counts is what it answers
                return ask()
        except CouldNotRun:
            raise
        except Exception as error:  # the model's code may raise anything
            raise CouldNotRun(
                f"{self.name} cannot predict the held-out rows: {_told(error)}",
                remedy="was it trained on the columns that its data asset has?",
            ) from error


def _told(error: Exception) -> str:
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first[:_TOLD]}"
