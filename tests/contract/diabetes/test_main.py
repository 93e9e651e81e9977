from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from diabetes.errors import DataError
from diabetes.main import main
from tests.contract.diabetes.tracking_server import Recorded, tracking_to
from tests.unit.diabetes import frames

# mlflow.pyfunc warns about type hints of its own while it is imported
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


@dataclass(frozen=True)
class Command:
    """A command that came to its end."""

    code: int
    printed: dict[str, str]
    server: Recorded


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    folder = tmp_path_factory.mktemp("command")
    frames.cohort().to_csv(folder / "diabetes.csv", index=False)
    chosen = "--estimator scaled-logistic --seed 3 --split_seed 5 --test_size 0.4"
    with tracking_to(folder / "artifacts") as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_PATH", "classifier/current")
        with redirect_stdout(StringIO()) as output:
            code = main(["--input_data", f"{folder}/diabetes.csv", *chosen.split()])
        lines = [line for line in output.getvalue().splitlines() if line[0].isalpha()]  # MLflow adds lines of its own
        yield Command(code, dict(line.split(maxsplit=1) for line in lines), server)


def test_a_run_that_is_recorded_exits_with_0(finished: Command) -> None:
    assert finished.code == 0


def test_the_metrics_are_printed(finished: Command) -> None:
    logged = finished.server.metrics
    assert {name: finished.printed[name] for name in ("accuracy", "auc")} == {
        name: f"{logged[name]:.4f}" for name in ("accuracy", "auc")
    }


def test_where_the_model_is_kept_is_printed(finished: Command) -> None:
    assert finished.printed["model"] == f"runs:/{finished.server.run_id}/classifier/current"


def test_the_model_is_kept_where_the_environment_says(finished: Command) -> None:
    assert "classifier/current/MLmodel" in finished.server.files


def test_the_arguments_reach_the_run(finished: Command) -> None:
    given = {"estimator": "scaled-logistic", "seed": "3", "split_seed": "5", "test_size": "0.4"}
    assert finished.server.params.items() >= given.items()


@pytest.fixture
def data(cohort: pd.DataFrame, tmp_path: Path) -> str:
    cohort.to_csv(tmp_path / "diabetes.csv", index=False)
    return str(tmp_path / "diabetes.csv")


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


@pytest.mark.usefixtures("tracking")
def test_too_few_rows_are_refused(cohort: pd.DataFrame, tmp_path: Path) -> None:
    cohort.head(1).to_csv(tmp_path / "one.csv", index=False)
    assert main(["--input_data", str(tmp_path / "one.csv")]) == 1


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(DataError):
        main(["--input_data", "nowhere.csv", "--debug"])


@pytest.mark.parametrize("arguments", [[], ["--input_data"], ["--seed", "x"], ["--unknown"]])
def test_arguments_that_cannot_be_read_exit_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
