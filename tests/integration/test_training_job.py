from typing import TYPE_CHECKING

import pytest

from mlgates import Lineage
from mlgates.suites import FinishedJobSuite

if TYPE_CHECKING:
    from mlflow import MlflowClient


class TestTrainingJob(FinishedJobSuite):
    """The job that mlops/continuous-training/pipeline.yml declares."""

    @pytest.mark.parametrize("picture", ["roc", "precision_recall", "confusion", "calibration"])
    def test_the_run_keeps_its_figures(self, tracking: "MlflowClient", mlgates_lineage: Lineage, picture: str) -> None:
        assert any(picture in artifact.path for artifact in tracking.list_artifacts(mlgates_lineage.job))
