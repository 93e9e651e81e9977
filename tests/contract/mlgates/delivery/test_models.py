from dataclasses import replace

import mlflow
import pytest
from azure.ai.ml import MLClient
from mlflow.exceptions import MlflowException

from mlgates.core.errors import WorkspaceRefused
from mlgates.delivery.models import keep_page
from tests.unit.mlgates.reports.examples import CANDIDATE, PROD


class Artifacts:
    """MLflow's artifacts in memory: by run and path."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.refuses = False

    def log_text(self, run: str, text: str, path: str) -> None:
        if self.refuses:
            raise MlflowException("the run is gone")
        self.kept[run, path] = text


@pytest.fixture
def artifacts(monkeypatch: pytest.MonkeyPatch) -> Artifacts:
    kept = Artifacts()
    monkeypatch.setattr(mlflow, "MlflowClient", lambda uri: kept)
    return kept


def test_the_page_is_kept_with_the_run_that_made_the_candidate(client: MLClient, artifacts: Artifacts) -> None:
    keep_page(client, PROD, "<html>")
    assert artifacts.kept == {(CANDIDATE.tags["job"], "gates/prod.html"): "<html>"}


def test_the_page_of_a_gate_about_a_commit_has_no_run_to_lie_with(client: MLClient, artifacts: Artifacts) -> None:
    keep_page(client, replace(PROD, candidate=None), "<html>")
    assert artifacts.kept == {}


def test_a_page_that_cannot_be_kept_says_which_and_why(client: MLClient, artifacts: Artifacts) -> None:
    artifacts.refuses = True
    with pytest.raises(WorkspaceRefused, match=r"cannot keep gates/prod.html with job calm_river_03: the run is gone"):
        keep_page(client, PROD, "<html>")
