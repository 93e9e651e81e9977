import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlgates.cli.app import app


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text("price,returned\n" + "".join(f"{price},{'yes' if price % 3 else 'no'}\n" for price in range(40)))
    return file


def test_a_suite_is_printed(table: Path) -> None:
    done = CliRunner().invoke(app, ["suite", "draft", str(table), "--label", "returned"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["name"] == "training-set"


def test_a_suite_is_written(table: Path, tmp_path: Path) -> None:
    into = tmp_path / "data" / "expectations" / "training-set.json"
    assert (
        CliRunner().invoke(app, ["suite", "draft", str(table), "--label", "returned", "--into", str(into)]).exit_code
        == 0
    )
    assert json.loads(into.read_text())["expectations"]


def test_a_file_that_is_there_is_kept(table: Path) -> None:
    done = CliRunner().invoke(app, ["suite", "draft", str(table), "--label", "returned", "--into", str(table)])
    assert "is there already: name another file with --into" in done.stderr.replace("\n", " ")
    assert table.read_text().startswith("price,returned")


def test_a_label_that_is_not_there_gets_the_nearest(table: Path) -> None:
    done = CliRunner().invoke(app, ["suite", "draft", str(table), "--label", "retruned"])
    assert done.exit_code != 0
    assert "Did you mean 'returned'" in done.stderr.replace("\n", " ")
