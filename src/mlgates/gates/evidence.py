"""What checks look at. Each part is fetched when the first check asks for it, once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from mlgates.core.values import UNKNOWN, metrics_of
from mlgates.gates.cache import Cache
from mlgates.gates.errors import CouldNotRun
from mlgates.gates.resolution import REQUIREMENTS, Resolution, python_of
from mlgates.gates.scores import Labels, Probabilities

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that a model was not trained on: `features` by name, and the `labels` (0 or 1) of the same rows."""

    features: pd.DataFrame
    labels: Labels
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The same rows with every column of the data, those that are no feature among them."""


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


class Model:
    """A model version's files, and what it predicts."""

    def __init__(self, name: str, folder: Path, *, sha256: str, tags: Mapping[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.sha256 = sha256
        self.tags = tags

    def __str__(self) -> str:
        return self.name

    @cached_property
    def _loaded(self) -> Any:
        import mlflow  # noqa: PLC0415 - takes seconds, and not every gate has a model

        try:
            return mlflow.sklearn.load_model(str(self.folder))
        except Exception as error:  # whatever the files raise, the model cannot be judged
            raise CouldNotRun(
                f"{self.name} cannot be loaded: {type(error).__name__}: {str(error).splitlines()[0][:200]}",
                remedy="train and register it again, with the versions of the project's lock",
            ) from error

    def classes(self, features: pd.DataFrame) -> Labels:
        """Return the class (0 or 1) of each row."""
        return self._ask("predict", features).astype(np.int64)

    def probabilities(self, features: pd.DataFrame) -> Probabilities:
        """Return the probability of class 1 of each row. Raises `CouldNotRun` for a model that gives none."""
        if not hasattr(self._loaded, "predict_proba"):
            raise CouldNotRun(f"{self.name} gives no probabilities", remedy="use an estimator with predict_proba")
        return self._ask("predict_proba", features)[:, 1].astype(np.float64)

    def _ask(self, method: str, features: pd.DataFrame) -> np.ndarray:
        model = self._loaded
        try:
            return np.asarray(getattr(model, method)(features))
        except Exception as error:  # the model's code may raise anything
            raise CouldNotRun(
                f"{self.name} cannot predict the held-out rows: {type(error).__name__}: {str(error)[:200]}",
                remedy="was it trained on the columns that its data asset has?",
            ) from error


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
    fetch_held_out: Callable[[Model], Table] = _nothing
    """The rows that a model was not trained on."""
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
    def held_out(self) -> Table:
        """The candidate's held-out rows, on which champion and candidate are compared."""
        return self.fetch_held_out(self.candidate)

    def metrics(self, model: Model) -> Mapping[str, float]:
        """Return what `model` was logged to score, by its lineage."""
        return metrics_of(model.tags)

    def classes(self, model: Model) -> Labels:
        """Return what `model` says of the held-out rows: the class of each."""
        return self._once(f"classes {model}", lambda: model.classes(self.held_out.features))

    def probabilities(self, model: Model) -> Probabilities:
        """Return what `model` says of the held-out rows: the probability of class 1 of each."""
        return self._once(f"probabilities {model}", lambda: model.probabilities(self.held_out.features))

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
