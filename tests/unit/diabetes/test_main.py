from pathlib import Path

import pandas as pd
import pytest
from tests.unit.diabetes.tracking_server import Recorded

from diabetes.errors import DataError
from diabetes.main import main

# mlflow.pyfunc warns about type hints of its own while it is imported
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


@pytest.fixture
def data(cohort: pd.DataFrame, tmp_path: Path) -> str:
    cohort.to_csv(tmp_path / "diabetes.csv", index=False)
    return str(tmp_path / "diabetes.csv")


def test_a_run_prints_its_metrics_and_where_it_is_kept(
    data: str, tracking: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--input_data", data, "--estimator", "scaled-logistic", "--seed", "3", "--test_size", "0.4"]) == 0
    printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line[0].isalpha())
    assert printed["accuracy"] == f"{tracking.metrics['accuracy']:.4f}"
    assert printed["model"] == f"runs:/{tracking.run_id}/model"


def test_the_arguments_reach_the_run(data: str, tracking: Recorded) -> None:
    main(["--input_data", data, "--seed", "3", "--test_size", "0.4"])
    assert (tracking.params["seed"], tracking.params["test_size"]) == ("3", "0.4")


def test_the_model_is_kept_where_the_environment_says(
    data: str, tracking: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_PATH", "classifier/current")
    main(["--input_data", data])
    assert "classifier/current/MLmodel" in tracking.files


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--input_data", "nowhere.csv"], "error: nowhere.csv: cannot be read (No such file or directory)"),
        (
            ["--input_data", "{data}", "--estimator", "forest"],
            "error: unknown estimator 'forest'. Did you mean 'random-forest'? "
            "Known: logistic, scaled-logistic, random-forest",
        ),
        (["--input_data", "{data}", "--test_size", "2"], "error: the test size is 2, not a share above 0 and below 1"),
        (["--input_data", "{data}", "--seed", "-1"], "error: the seed is -1, not a number from 0 to 4294967295"),
    ],
    ids=["file", "estimator", "test size", "seed"],
)
def test_a_refusal_is_one_line(
    data: str, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(data=data) for argument in arguments]) == 1
    assert capsys.readouterr().err == f"{reason}\n"


def test_too_few_rows_are_refused(cohort: pd.DataFrame, tracking: Recorded, tmp_path: Path) -> None:
    cohort.head(1).to_csv(tmp_path / "one.csv", index=False)
    assert main(["--input_data", str(tmp_path / "one.csv")]) == 1


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(DataError):
        main(["--input_data", "nowhere.csv", "--debug"])


@pytest.mark.parametrize("arguments", [[], ["--input_data"], ["--seed", "x"], ["--unknown"]])
def test_arguments_that_cannot_be_read_exit_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
