"""A champion that MLflow cannot load."""

from pathlib import Path

import pandas as pd
import pytest

from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.model import Model

FEATURES = pd.DataFrame({"p": [1]})


class TestModel:
    def test_a_model_that_cannot_be_loaded_says_so_and_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "MLmodel").write_text("flavors: {}")
        champion = Model("classifier:1", tmp_path, sha256="", tags={})
        with pytest.raises(CouldNotRun, match="classifier:1 cannot be loaded: MlflowException: ") as stopped:
            champion.predict(FEATURES)
        assert stopped.value.remedy == "train and register it again, with the versions of the project's lock"
