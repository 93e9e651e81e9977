"""What `mlgates init` makes of a table of texts, dates and gaps: whole, formatted, readable by those it is for."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from mlgates.cli.app import app
from mlgates.config.project import Project
from mlgates.config.settings import load_settings
from mlgates.gates.declaration import read_gates
from mlgates.scaffold import rendering
from mlgates.scaffold.repository import git
from tests.contract.mlgates.test_declared_assets import LOADERS

ROWS = 200
LABEL = 'happy: "so" # or not'
"""A name with what YAML and Python have a meaning for."""
WORDS = ["great", "terrible", "fine", "slow", "broken", "lovely", "cheap", "quick"]


def table() -> pd.DataFrame:
    """Return rows of every kind of column, with gaps; the label follows from two of them."""
    chance = np.random.default_rng(0)
    size, good = chance.normal(10, 3, ROWS), chance.random(ROWS) < 0.4
    days = pd.Series(pd.Timestamp("2023-01-01") + pd.to_timedelta(chance.integers(0, 700, ROWS), "D"))
    frame = pd.DataFrame(
        {
            "order id": range(1000, 1000 + ROWS),
            "größe": size.round(2),
            "zip": [f"{number:05}" for number in chance.integers(0, 90, ROWS)],
            "color": chance.choice(["red", "blue", "green"], ROWS),
            "member": chance.choice([True, False], ROWS),
            "sent": days.dt.strftime("%Y-%m-%d"),
            "class": [" ".join(chance.choice(WORDS[:3] if each else WORDS[3:], 4)) for each in good],
            "empty": None,
        }
    )
    gaps = {name: frame[name].mask(chance.random(ROWS) < 0.1) for name in ("größe", "color", "sent", "class")}
    return frame.assign(**gaps, **{LABEL: np.where(good, "it's so", "not")})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    table().to_csv(folder / "Happy orders.csv", index=False)
    command = [
        "init",
        str(folder / "Happy orders.csv"),
        "--target",
        LABEL,
        "--ci",
        "both",
        "--into",
        str(folder / "p"),
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return folder / "p"


def test_it_is_a_repository_with_all_committed(made: Path) -> None:
    assert git(made, "status", "--porcelain") == ""
    assert git(made, "rev-list", "--count", "HEAD").strip() == "1"


def test_it_has_the_layout_that_is_promised(made: Path) -> None:
    parts = "src/happy_orders tests/unit tests/data tests/integration tests/smoke mlops data infra .github .ado"
    assert [part for part in parts.split() if not (made / part).is_dir()] == []


@pytest.mark.parametrize("check", [["format", "--check"], ["check"]], ids=["format", "lint"])
def test_its_code_is_as_its_own_linter_wants_it(made: Path, check: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *check, "."], check=False, cwd=made, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_no_place_of_the_template_is_left_empty(made: Path) -> None:
    files = [made / name for name in git(made, "ls-files", "-z").split("\0") if name]
    marked = [file.name for file in files if any(mark in file.read_text("utf-8") for mark in ("<%", "%>", "<<label"))]
    assert marked == []


def test_its_settings_and_gates_can_be_read(made: Path) -> None:
    project = Project(made)
    assert load_settings(project, "prod", environ={}).online_endpoint == "happy-orders-online-prod"
    assert set(read_gates(project.gates_file, "gates.yml").gates) == {"qa", "dev", "prod"}


@pytest.mark.parametrize("file", LOADERS)
def test_azure_ai_ml_loads_what_it_declares(made: Path, file: str) -> None:
    from azure.ai import ml  # noqa: PLC0415 - it takes seconds

    assert getattr(ml, LOADERS[file])(made / "mlops" / file)


def test_its_pipelines_are_yaml(made: Path) -> None:
    files = [*(made / ".github").rglob("*.yml"), *(made / ".ado").rglob("*.yml")]
    assert all(yaml.safe_load(file.read_text("utf-8")) for file in files)
    assert len(files) == 9


def test_its_training_code_imports_neither_mlgates_nor_azure(made: Path) -> None:
    code = "\n".join(file.read_text("utf-8") for file in (made / "src").rglob("*.py"))
    assert "import mlgates" not in code
    assert "from mlgates" not in code
    assert "from azure" not in code


def test_the_columns_are_what_they_are(made: Path) -> None:
    told = yaml.safe_load((made / ".copier-answers.yml").read_text("utf-8"))["columns"]
    assert {name: found for name, found in told.items() if found} == {
        "numbers": ["größe"],
        "booleans": ["member"],
        "categories": ["zip", "color"],
        "texts": ["class"],
        "dates": ["sent"],
        "left_out": ["order id", "empty"],
        "identifiers": ["order id"],
        "count": 6,
    }


def test_its_lock_names_where_mlgates_came_from_first(made: Path) -> None:
    _, first, *rest = (made / "requirements.lock").read_text("utf-8").splitlines()
    assert first.startswith(("-e /", "mlgates @ "))
    assert {"mlflow", "pytest", "azure-ai-ml"} <= {line.partition("==")[0] for line in rest}


def test_its_own_unit_and_data_tests_pass(made: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-q", "tests/unit", "tests/data", "-p", "no:cacheprovider"]
    done = subprocess.run(command, check=False, cwd=made, capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stdout


def test_its_model_promises_the_types_of_the_columns(made: Path, tmp_path: Path) -> None:
    code = """
import sys; sys.path.insert(0, "src")
from pathlib import Path
from happy_orders import saving, table
from happy_orders.training import Settings, train
saving.save(train(table.read(Path("data/happy-orders.csv")), Settings()).model, Path(sys.argv[1]))
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model")], check=True, cwd=made, capture_output=True)
    model: dict[str, Any] = yaml.safe_load((tmp_path / "model" / "MLmodel").read_text("utf-8"))
    inputs = {each["name"]: each["type"] for each in json.loads(model["signature"]["inputs"])}
    assert inputs == {
        "größe": "double",
        "member": "boolean",
        "zip": "string",
        "color": "string",
        "class": "string",
        "sent": "datetime",
    }
    assert "mlflow==" in (tmp_path / "model" / "requirements.txt").read_text("utf-8")


def test_an_update_without_a_newer_template_changes_nothing(made: Path) -> None:
    before = git(made, "rev-parse", "HEAD")
    result = CliRunner().invoke(app, ["update", "--project", str(made)])
    assert (result.exit_code, "newest template already" in result.output) == (0, True), result.output
    assert git(made, "rev-parse", "HEAD") == before


def test_an_update_brings_the_newer_template_beside_edits(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, newer = tmp_path / "p", tmp_path / "template"
    shutil.copytree(made, project)
    shutil.copytree(rendering.TEMPLATE, newer)
    release = newer / "project" / "mlops" / "release.yml.jinja"
    release.write_text(release.read_text("utf-8").replace("max_median_ms: 500", "max_median_ms: 400"), "utf-8")
    monkeypatch.setattr(rendering, "TEMPLATE", newer)
    own = project / "mlops" / "release.yml"
    own.write_text(own.read_text("utf-8").replace("keep_old_for_hours: 72", "keep_old_for_hours: 24"), "utf-8")
    git(project, "commit", "-qam", "Keep the old deployment for a day")
    result = CliRunner().invoke(app, ["update", "--project", str(project)])
    assert result.exit_code == 0, result.output
    declared = yaml.safe_load(own.read_text("utf-8"))
    assert (declared["limits"]["max_median_ms"], declared["keep_old_for_hours"]) == (400, 24)
    assert git(project, "status", "--porcelain") == ""
