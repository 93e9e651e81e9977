"""The three estimators of the story, by name: each a scikit-learn pipeline that takes the eight features."""

import difflib
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from diabetes.errors import SettingsError
from diabetes.schema import FEATURES

CATEGORICAL: Final = "Age"
"""Few ages occur and risk does not rise straight with them, so each is a category of its own."""

NUMERIC: Final = tuple(name for name in FEATURES if name != CATEGORICAL)


def logistic(seed: int) -> Pipeline:
    """Iteration 1: logistic regression on the features as they are."""
    return Pipeline([("features", _as_they_are()), ("classifier", _logistic_regression(seed))])


def scaled_logistic(seed: int) -> Pipeline:
    """Iteration 2: the same regression on scaled numbers and one-hot ages."""
    return Pipeline([("features", _scaled()), ("classifier", _logistic_regression(seed))])


def random_forest(seed: int) -> Pipeline:
    """Iteration 3: a forest of 100 trees on the features of iteration 2."""
    return Pipeline([("features", _scaled()), ("classifier", RandomForestClassifier(100, random_state=seed))])


_BUILDERS: Final = MappingProxyType[str, Callable[[int], Pipeline]](
    {"logistic": logistic, "scaled-logistic": scaled_logistic, "random-forest": random_forest}
)

NAMES: Final = tuple(_BUILDERS)


def build(name: str, *, seed: int) -> Pipeline:
    """Return the unfitted pipeline of that name. Raises `SettingsError` with the nearest name for an unknown one."""
    if name not in _BUILDERS:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise SettingsError(f"unknown estimator {name!r}. {hint}Known: {', '.join(NAMES)}")
    return _BUILDERS[name](seed)


# Both select columns by name: the order of a frame's columns, and columns beyond the eight, change no prediction.


def _as_they_are() -> ColumnTransformer:
    return ColumnTransformer([("all", "passthrough", list(FEATURES))])


def _scaled() -> ColumnTransformer:
    # An age never seen in training becomes all zeros, rather than an error while serving.
    ages = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer([("numeric", StandardScaler(), list(NUMERIC)), ("age", ages, [CATEGORICAL])])


def _logistic_regression(seed: int) -> LogisticRegression:
    # A weak penalty (1/C) and liblinear, as in the published figures; newton- and lbfgs-solvers give others.
    return LogisticRegression(C=100, solver="liblinear", random_state=seed)
