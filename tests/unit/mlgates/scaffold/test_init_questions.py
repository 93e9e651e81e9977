"""On a terminal `mlgates init` asks for what is not given, and again after a wrong answer."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from mlgates.cli import scaffolding
from mlgates.cli.app import app
from mlgates.scaffold import making
from mlgates.scaffold.making import Table, Wishes

GOOD = pd.DataFrame({"a": range(30), "y": [0, 1] * 15})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Wishes]:
    """What would have been made."""
    found: list[Wishes] = []

    def record(_: Table, wishes: Wishes, *, say: object) -> Path:
        found.append(wishes)
        return wishes.into

    monkeypatch.setattr(making, "make", record)
    monkeypatch.setattr(scaffolding, "_terminal", lambda: True)
    monkeypatch.chdir(tmp_path)
    GOOD.to_csv(tmp_path / "table.csv", index=False)
    return found


def test_all_is_asked_when_nothing_is_given(asked: list[Wishes]) -> None:
    result = CliRunner().invoke(app, ["init"], input="table.csv\ny\norders\nboth\n")
    assert result.exit_code == 0, result.output
    assert asked == [Wishes(target="y", name="orders", into=Path("orders"), ci="both")]


def test_defaults_are_taken_by_enter(asked: list[Wishes]) -> None:
    CliRunner().invoke(app, ["init", "table.csv", "--target", "y"], input="\n\n")
    assert asked == [Wishes(target="y", name="table", into=Path("table"), ci="github")]


def test_a_wrong_answer_is_told_with_the_nearest_and_asked_again(asked: list[Wishes]) -> None:
    result = CliRunner().invoke(app, ["init", "table.csv", "--name", "t"], input="z\ny\ngitlab\ngithub\n")
    assert [wishes.target for wishes in asked] == ["y"]
    assert "'z' is none of them. Known: a, y" in result.output
    assert "'gitlab' is none of them. Did you mean 'github'" in result.output


def test_what_is_given_is_not_asked(asked: list[Wishes]) -> None:
    options = ["--target", "y", "--name", "t", "--into", "here", "--ci", "none", "--task", "binary", "--vendor"]
    result = CliRunner().invoke(app, ["init", "table.csv", *options], input="")
    assert result.exit_code == 0, result.output
    assert [(wishes.into, wishes.ci, wishes.vendor) for wishes in asked] == [(Path("here"), "none", True)]
