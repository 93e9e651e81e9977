"""What the documentation says is so: pages made from the code are fresh, a command that is shown can be typed."""

import re
import runpy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.contract.mlgates.shown_commands import PROGRAMS, ROOT, Shown, commands, complaint, pages, shown

PAGES = [*pages(), ROOT / "data" / "README.md", ROOT / "infra" / "README.md"]
SUITES = [file for suite in ("data", "integration", "smoke") for file in sorted((ROOT / "tests" / suite).glob("*.py"))]
"""Of the example: what a user's own project would be tested by."""
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
"""A link to a file of the project, and not to the web."""
DEEP_IMPORT = re.compile(r"^\s*(?:from|import) (?!mlgates\.suites import)((?:mlgates|amlocal)\.[\w.]+)", re.MULTILINE)
"""An import of a module below a package, where names do not stay; those of `mlgates.suites` do."""
HARMLESS = {("mlgates", "config"), ("amlocal", "status")}
"""They change nothing and need no workspace, so that they are run as they are shown."""


def test_the_reference_is_what_the_code_says() -> None:
    stale = runpy.run_path(str(ROOT / "docs" / "reference.py"))["stale"]
    assert stale() == [], "run python docs/reference.py --write"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_leads_to_a_file(page: Path) -> None:
    links = {link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8"))}
    assert [link for link in links if link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("example", [*PAGES, *SUITES], ids=lambda example: example.relative_to(ROOT).as_posix())
def test_an_import_that_is_shown_is_of_the_library(example: Path) -> None:
    assert DEEP_IMPORT.findall(example.read_text(encoding="utf-8")) == []


def test_an_import_from_deeper_is_noticed() -> None:
    assert DEEP_IMPORT.findall("```python\n  from mlgates.gates import gate\n```") == ["mlgates.gates"]


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


def test_a_build_is_made_of_the_project_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(PROGRAMS["mlgates"], ["build", "--output", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert len(list(tmp_path.glob("*.sha256"))) == 1
