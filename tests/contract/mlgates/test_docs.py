"""What the documentation says is so: pages made from the code are fresh, a command that is shown can be typed."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from tests.contract.mlgates.shown_commands import PROGRAMS, ROOT, Shown, commands, complaint, shown

HARMLESS = {("mlgates", "config"), ("amlocal", "status")}
"""They change nothing and need no workspace, so that they are run as they are shown."""


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    specification = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says(reference: ModuleType) -> None:
    assert reference.stale() == [], "run python docs/reference.py --write"


@pytest.mark.parametrize("command", shown(), ids=str)
def test_a_command_that_is_shown_can_be_typed(command: Shown) -> None:
    assert complaint(command.words) == ""


@pytest.mark.parametrize(
    "line",
    [
        "mlgates deploi --env dev",
        "mlgates train --envi dev",
        "mlgates approve --by Ann --reason good",
        "mlgates pipeline staging",
        "mlgates show --newest many",
        "amlocal up --detached",
        "nox -s promotion",
        "python -m nox -s mlgates -- trian",
        "make && mlgates traim",
    ],
)
def test_a_command_that_cannot_be_typed_is_noticed(line: str) -> None:
    *_, words = commands(f"```bash\n{line}\n```")
    assert complaint(words)


def test_a_command_that_goes_on_in_the_next_line_is_one() -> None:
    text = "```bash\n# first\nmlgates approve m:1 \\\n  --by Ann | tee log  # why\n```\n```yaml\nmlgates: x\n```"
    assert list(commands(text)) == [("mlgates", "approve", "m:1", "--by", "Ann"), ("tee", "log")]


@pytest.mark.parametrize("command", [each for each in shown() if each.words[:2] in HARMLESS], ids=str)
def test_a_harmless_command_that_is_shown_runs(command: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    program, *rest = command.words
    result = CliRunner().invoke(PROGRAMS[program], rest)
    assert result.exit_code == 0, result.output


def test_the_build_that_the_tutorial_shows_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(PROGRAMS["mlgates"], ["build", "--output", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert len(list(tmp_path.glob("*.sha256"))) == 1
