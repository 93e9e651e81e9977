"""A table goes through `mlgates init` to a released model on both endpoints, without an edit."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projects.programs import run
from tests.projects.tables import CASES, Case


@pytest.fixture(scope="module", params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def case(name: str) -> Case:
    return CASES[name]


@pytest.fixture(scope="module")
def made(name: str, case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp(name)
    case.load().to_csv(folder / f"{name}.csv", index=False)
    run(folder, "mlgates", "init", f"{name}.csv", "--target", case.target)
    yield folder / name
    run(folder, "amlocal", "down", "--all", "--root", str(folder / name / ".amlocal"))


def test_the_task_is_inferred(made: Path, case: Case) -> None:
    assert f"task: {case.task}\n" in (made / ".copier-answers.yml").read_text("utf-8")


def test_its_unit_and_data_tests_pass(made: Path) -> None:
    run(made, "python", "-m", "nox", "-s", "unit", "data")


def test_it_is_promoted_to_a_released_model(made: Path) -> None:
    told = run(made, "python", "-m", "nox", "-s", "promote")
    assert "pipeline prod passed" in told


def test_the_released_model_answers(made: Path) -> None:
    told = run(made, "mlgates", "invoke", "online", "data/online-sample.json", "--env", "prod")
    rows = json.loads((made / "data" / "online-sample.json").read_text("utf-8"))["input_data"]["data"]
    assert len(json.loads(told[told.index("[") :])) == len(rows)
