import json
from collections.abc import Iterator
from dataclasses import dataclass

import mlflow
import pandas as pd
import pytest

from diabetes import patients
from diabetes.errors import DataError, TrackingError
from diabetes.tracking import TrackedRun, held_out_rows, track
from diabetes.training import Outcome, Settings
from tests.contract.diabetes.tracking_server import Recorded, tracking_to
from tests.unit.diabetes import frames

# mlflow.pyfunc warns about type hints of its own while it is imported
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


@dataclass(frozen=True)
class Finished:
    """A run that came to its end, and what the server was told of it."""

    outcome: Outcome
    tracked: TrackedRun
    server: Recorded
    refused: tuple[str, ...]
    """During the run: reading the model back asks for more, and does without."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    with tracking_to(tmp_path_factory.mktemp("artifacts")) as server:
        outcome, tracked = run(frames.cohort(), "random-forest")
        yield Finished(outcome, tracked, server, tuple(server.refused))


def run(cohort: pd.DataFrame, estimator: str = "logistic") -> tuple[Outcome, TrackedRun]:
    return track(patients.check(cohort), Settings(estimator=estimator), model_path="model")


def test_a_run_asks_for_nothing_that_azure_refuses(finished: Finished) -> None:
    assert finished.refused == ()


def test_a_run_logs_the_metrics_that_it_returns(finished: Finished) -> None:
    assert finished.server.metrics.items() >= finished.outcome.metrics.as_dict().items()


def test_a_run_keeps_its_metrics_as_a_file(finished: Finished) -> None:
    kept = json.loads((finished.server.artifacts / "metrics.json").read_text())
    assert kept == finished.outcome.metrics.as_dict()


def test_a_run_logs_its_settings(finished: Finished) -> None:
    settings = {"estimator": "random-forest", "seed": "0", "test_size": "0.3"}
    rows = {"rows": "200", "train_rows": "140", "test_rows": "60"}
    assert finished.server.params.items() >= (settings | rows).items()


def test_a_run_logs_the_estimator_s_own_settings(finished: Finished) -> None:
    assert finished.server.params["classifier__n_estimators"] == "100"


def test_no_parameter_is_long_for_azure(finished: Finished) -> None:
    assert max(map(len, finished.server.params.values())) <= 500


def test_a_run_keeps_the_model_and_the_figures(finished: Finished) -> None:
    assert finished.server.files >= {
        "model/MLmodel",
        "model/model.skops",
        "model/requirements.txt",
        "model/input_example.json",
        "roc_curve.png",
        "precision_recall_curve.png",
        "confusion_matrix.png",
        "calibration_curve.png",
    }


def test_a_run_names_the_rows_that_the_model_was_judged_on(finished: Finished) -> None:
    held_out = held_out_rows(finished.outcome.split)
    assert held_out["rows"] == sorted(finished.outcome.split.test.features.index)
    assert "held_out.json" in finished.server.files


def test_the_model_answers_under_the_uri_that_is_returned(finished: Finished) -> None:
    served = mlflow.pyfunc.load_model(finished.tracked.model_uri).predict(finished.outcome.split.test.features)
    assert list(served) == list(finished.outcome.predictions.classes)


def test_a_run_ends_finished(finished: Finished) -> None:
    assert finished.server.status == "FINISHED"


def test_a_run_is_made_where_there_is_none(finished: Finished) -> None:
    assert (finished.tracked.run_id, finished.server.runs_created) == (finished.server.run_id, 1)


def test_the_run_of_a_job_is_used(cohort: pd.DataFrame, tracking: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", tracking.run_id)
    _, tracked = run(cohort)
    assert (tracked.run_id, tracking.runs_created) == (tracking.run_id, 0)


def test_a_run_fails_when_training_does(cohort: pd.DataFrame, tracking: Recorded) -> None:
    with pytest.raises(DataError, match="both classes are needed"):
        run(cohort.assign(Diabetic=1))
    assert tracking.status == "FAILED"


def test_a_refusal_names_the_server_and_its_reason(
    cohort: pd.DataFrame, tracking: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{tracking.uri}/elsewhere")
    with pytest.raises(TrackingError, match=f"MLflow at {tracking.uri}/elsewhere: .*no endpoint POST"):
        run(cohort)


def test_autologging_ends_with_the_run(finished: Finished, tracking: Recorded) -> None:
    finished.outcome.model.fit(finished.outcome.split.train.features, finished.outcome.split.train.labels)
    assert tracking.runs_created == 0
