"""Evidence to hand to a check: models that answer from what they are told, and no files, workspace or index."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlgates.evaluation.answers import Answers
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.target import EvaluationConfig, Target, Task
from mlgates.gates.evidence import Evidence

NOWHERE = Path("/nonexistent")


class FakeModel(Model):
    """Gives the probability that the column `given` of the features says, whatever else they hold."""

    def __init__(
        self,
        name: str = "classifier:2",
        *,
        tags: Mapping[str, str] | None = None,
        given: str = "p",
        folder: Path = NOWHERE,
    ) -> None:
        super().__init__(name, folder, sha256=name, tags=tags or {})
        self.given = given

    def answer(self, rows: Rows, config: EvaluationConfig) -> Answers:
        """Call those positive that have half a chance."""
        return binary_answers(self.chances(rows.features))

    def chances(self, features: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Read them off."""
        return features[self.given].to_numpy(dtype=np.float64)

    def predict(self, features: pd.DataFrame) -> object:
        """Return the classes."""
        return (self.chances(features) >= 0.5).astype(np.int64)


BINARY = Target(Task.BINARY, "ill", (0, 1))


def binary_answers(probabilities: npt.ArrayLike, classes: npt.ArrayLike | None = None) -> Answers:
    """Return answers with these probabilities of the positive class; classes are those of half a chance."""
    positive = np.asarray(probabilities, dtype=np.float64)
    called = (positive >= 0.5) if classes is None else np.asarray(classes)
    return Answers(called.astype(np.int64), np.column_stack([1 - positive, positive]))


def binary_rows(labels: npt.ArrayLike, features: pd.DataFrame | None = None, rows: pd.DataFrame | None = None) -> Rows:
    """Return held-out rows with these labels, 0 and 1."""
    encoded = np.asarray(labels, dtype=np.int64)
    drawn = pd.DataFrame({"p": np.zeros(len(encoded))}) if features is None else features
    return Rows(drawn, encoded, drawn if rows is None else rows, BINARY)


def evidence(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    theirs: npt.ArrayLike | None = None,
    rows: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Evidence:
    """Return evidence of a candidate with these probabilities on held-out rows; `theirs` are those of a champion."""
    features = pd.DataFrame({"p": np.asarray(probabilities, dtype=float)})
    if theirs is not None:
        features["q"] = np.asarray(theirs, dtype=float)
    table = binary_rows(labels, features, features.assign(**(rows or {})))
    return Evidence(
        root=NOWHERE,
        the_candidate=FakeModel(tags=tags),
        champion=None if theirs is None else FakeModel("classifier:1", given="q"),
        fetch_held_out=lambda _: table,
    )
