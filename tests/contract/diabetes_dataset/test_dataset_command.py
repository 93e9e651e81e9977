import io
import runpy
import sys
from pathlib import Path

import pytest

from diabetes_dataset.cli import main
from diabetes_dataset.errors import DatasetError
from tests.contract.diabetes_dataset.conftest import OTHER, Declare, Website


def run(output: Path, declared: Path, *options: str) -> int:
    return main([*options, "--output", str(output), "--source", str(declared)])


def test_a_fetch_reports_rows_and_origin(
    website: Website, declare: Declare, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(output, declare(website.url)) == 0
    printed = capsys.readouterr()
    assert "written (30 rows, origin microsoft-learn" in printed.out
    assert printed.err == ""


def test_a_second_fetch_says_that_there_is_nothing_to_do(
    website: Website, declare: Declare, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(output, declare(website.url))
    capsys.readouterr()
    assert run(output, declare(website.url)) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_stand_in_is_announced_loudly_with_the_reason(
    declare: Declare, output: Path, offline: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(output, declare(offline)) == 0
    printed = capsys.readouterr().err
    assert printed.count("*" * 78) == 2
    assert "SYNTHETIC DATA" in printed
    assert "Connection refused" in printed


def test_a_stand_in_made_on_purpose_is_announced_without_a_reason(
    declare: Declare, output: Path, offline: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(output, declare(offline), "--stand-in") == 0
    printed = capsys.readouterr().err
    assert "SYNTHETIC DATA" in printed
    assert "could not be fetched" not in printed


def test_an_error_is_one_line_and_exit_code_1(
    tmp_path: Path, declare: Declare, output: Path, offline: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(OTHER)
    assert run(output, declare(offline), "--file", str(own)) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert printed.err.startswith("error: ")


def test_debug_shows_the_error_itself(tmp_path: Path, declare: Declare, output: Path, offline: str) -> None:
    with pytest.raises(DatasetError):
        run(output, declare(offline), "--file", str(tmp_path / "nowhere.csv"), "--debug")


def test_unverified_without_a_file_is_a_mistake(declare: Declare, output: Path, offline: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(output, declare(offline), "--unverified")


def test_the_module_is_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["diabetes_dataset", "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("diabetes_dataset", run_name="__main__")
    assert "--stand-in" in capsys.readouterr().out


def test_a_path_that_the_terminal_cannot_show_is_escaped(
    website: Website, declare: Declare, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert run(output.with_name("é.csv"), declare(website.url)) == 0
    assert b"/\\xe9.csv: written (30 rows" in terminal.buffer.getvalue()
