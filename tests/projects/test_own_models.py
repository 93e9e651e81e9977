"""Models of other kinds than the drafted one, in a made project: released after an edit of training code and limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projects.own_models import LIGHTGBM, PYFUNC, Edits, edit, flats
from tests.projects.programs import run


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Path]:
    flats().to_csv(tmp_path / "flats.csv", index=False)
    run(tmp_path, "mlgates", "init", "flats.csv", "--target", "sold")
    yield tmp_path / "flats"
    run(tmp_path, "amlocal", "down", "--all", "--root", str(tmp_path / "flats" / ".amlocal"))


@pytest.mark.parametrize(
    ("edits", "words"), [(LIGHTGBM, ["--", "--estimator", "boosted"]), (PYFUNC, [])], ids=["lightgbm", "pyfunc"]
)
def test_it_is_released(made: Path, edits: Edits, words: list[str]) -> None:
    assert edit(made, edits) <= 10  # places
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    run(made, "git", "add", "--all")
    run(made, "git", *identity, "commit", "--quiet", "--message", "Train a model of our own")
    output = run(made, "python", "-m", "nox", "-s", "promote", *words)
    assert "serves flats-model:1" in output
    assert "pipeline prod passed" in output
