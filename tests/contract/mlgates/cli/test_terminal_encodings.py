"""Whatever encoding a terminal, a pipe or a CI log has: every command prints, and nothing ends in a traceback."""

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner, Result

from mlgates.cli.app import app
from mlgates.cli.command import speak_any_encoding
from mlgates.config.project import Project
from mlgates.core.errors import MlgatesError
from mlgates.core.pipelines import StageRecord, StageState
from mlgates.core.progress import Progress, StageEnded, StageStarted
from mlgates.reports.console import shown
from mlgates.reports.tables import checks_table, inventory_tables, stages_table
from tests.contract.mlgates.git_folder import committed
from tests.unit.mlgates.fake_workspace import FakeWorkspace
from tests.unit.mlgates.reports.examples import PIPELINE, PROD
from tests.unit.mlgates.reports.test_tables import FULL

ENCODINGS = ["ascii", "latin-1", "cp1252", "cp437", "iso8859-15", "utf-8"]
encodings = st.sampled_from(ENCODINGS)


def stream(encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors, write_through=True)


def written(file: io.TextIOWrapper) -> str:
    """Return what was written, as a terminal of just this encoding reads it."""
    assert isinstance(file.buffer, io.BytesIO)
    return file.buffer.getvalue().decode(file.encoding)


@pytest.fixture
def odd(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose settings, gates and suites hold text from beyond most encodings."""
    monkeypatch.setenv("ONLINE_SAMPLE_REQUEST", "data/modèle-日本-\udcff")
    declared = "evaluation: {label: Größe}\nqa: {suites: {layers: {unit: 10, data: 90}}}\n"
    project.gates_file.write_text(declared, encoding="utf-8")
    (project.root / ".gitignore").write_text("reports\n")
    commit = committed(project.root)
    (project.reports / "suites").mkdir(parents=True)
    for layer, failed in (("unit", 0), ("data", 3)):
        counts = {"passed": 12, "failed": failed, "skipped": 0, "commit": commit, "dirty": False}
        (project.reports / "suites" / f"{layer}.json").write_text(json.dumps(counts))
    return project


def run(project: Project, encoding: str, *words: str) -> Result:
    runner = CliRunner(charset=encoding)
    result = runner.invoke(app, [*words, "--project", str(project.root)], obj=lambda settings: FakeWorkspace())
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    for printed in (result.stdout_bytes, result.stderr_bytes):
        printed.decode(encoding)
    return result


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "words",
    [
        ("config",),
        ("gate", "qa"),
        ("gate", "日本"),
        ("show",),
        ("train",),
        ("train", "--data", "/nowhere/é日本.csv"),
        ("build", "--output", "é日本\udcff"),
        ("report",),
        ("report", "--gate", "日本"),
        ("contract", "--model", "é日本"),
        ("config", "--env", "é日本"),
    ],
    ids=" ".join,
)
def test_a_command_prints_in_any_encoding(
    odd: Project, encoding: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(odd, encoding, *words)


def test_a_gate_reports_its_verdicts_in_plain_characters(odd: Project) -> None:
    assert "+ passed" in run(odd, "ascii", "gate", "qa").stdout
    assert "✓ passed" in run(odd, "utf-8", "gate", "qa").stdout


def test_what_a_terminal_lacks_is_escaped(odd: Project) -> None:
    assert r"ONLINE_SAMPLE_REQUEST = data/mod\xe8le-\u65e5\u672c-\udcff" in run(odd, "ascii", "config").stdout
    assert r"ONLINE_SAMPLE_REQUEST = data/modèle-\u65e5\u672c-\udcff" in run(odd, "latin-1", "config").stdout
    assert r"ONLINE_SAMPLE_REQUEST = data/modèle-日本-\udcff" in run(odd, "utf-8", "config").stdout


@pytest.mark.parametrize("name", sorted(get_command(app).commands))  # type: ignore[attr-defined]
def test_help_is_plain(name: str) -> None:
    assert CliRunner().invoke(app, [name, "--help"]).stdout.isascii()


@given(encodings, st.sampled_from(["strict", "surrogateescape", "replace"]), st.text())
def test_any_text_is_written_in_any_encoding(encoding: str, errors: str, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        file = stream(encoding, errors)
        patch.setattr(sys, "stdout", file)
        speak_any_encoding()
        file.write(text)
        assert len(written(file)) >= len(text)


@given(encodings, st.text(max_size=20), st.integers(40, 200), st.booleans())
def test_every_picture_of_a_run_is_drawn_in_any_encoding(encoding: str, text: str, width: int, terminal: bool) -> None:
    def goes(progress: Progress) -> None:
        progress.emit(StageStarted(text, 1, 1))
        with progress.step("job") as step:
            step.job(text, None)
            step.log(text * 30)
            step.summary = text
        with contextlib.suppress(MlgatesError), progress.step("other"):
            raise MlgatesError
        for state in StageState:
            progress.emit(StageEnded(StageRecord(name=text, state=state, remark=text * 9)))

    with pytest.MonkeyPatch.context() as patch:
        file = stream(encoding)
        patch.setattr(sys, "stdout", file)
        speak_any_encoding()
        console = Console(file=file, width=width, force_terminal=terminal)
        with shown(console) as progress:
            goes(progress)
        for table in (checks_table(PROD), stages_table(PIPELINE), inventory_tables(FULL)):
            console.print(table)
        assert written(file)


def test_a_dumb_terminal_is_written_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    file = stream("ascii")
    with shown(Console(file=file, force_terminal=True, width=80)) as progress, progress.step("job") as step:
        step.summary = "done"
    assert written(file).startswith("job: done (")


def test_a_stream_that_somebody_put_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    speak_any_encoding()
    sys.stdout.write("✓")
