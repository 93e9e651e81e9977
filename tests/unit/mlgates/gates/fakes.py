"""Evidence to hand to a check: models that answer from what they are told, and no files, workspace or index."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlgates.gates.evidence import Evidence, Model, Table
from mlgates.gates.scores import Labels, Probabilities

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

    def classes(self, features: pd.DataFrame) -> Labels:
        """Call those positive that have half a chance."""
        return (self.probabilities(features) >= 0.5).astype(np.int64)

    def probabilities(self, features: pd.DataFrame) -> Probabilities:
        """Read them off."""
        return features[self.given].to_numpy(dtype=np.float64)


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
    table = Table(features, np.asarray(labels, dtype=np.int64), features.assign(**(rows or {})))
    return Evidence(
        root=NOWHERE,
        the_candidate=FakeModel(tags=tags),
        champion=None if theirs is None else FakeModel("classifier:1", given="q"),
        fetch_held_out=lambda _: table,
    )
