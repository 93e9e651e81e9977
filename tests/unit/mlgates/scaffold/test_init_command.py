"""`mlgates init` refuses what it cannot make a project of: one line, an exit code, nothing left behind."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from mlgates.cli.app import app
from mlgates.core.errors import ExitCode

GOOD = pd.DataFrame({"a": range(30), "b": [0.5, 1.5, 2.5] * 10, "y": [0, 1] * 15})
WRONG = {
    "no such file": (None, ["--target", "y"], ExitCode.DATA_UNREADABLE, "table.csv: cannot be read"),
    "no table": ("", ["--target", "y"], ExitCode.DATA_UNREADABLE, "the file is empty"),
    "no rows": ("a,y\n", ["--target", "y"], ExitCode.DATA_UNREADABLE, "no rows below the header"),
    "a short line": ("a,y\n1,2\n3\n", ["--target", "y"], ExitCode.DATA_UNREADABLE, "line 3 has 1 fields"),
    "no such label": (GOOD, ["--target", "z"], ExitCode.CONFIGURATION, "--target: the table has no column 'z'"),
    "no label": (GOOD, [], ExitCode.CONFIGURATION, "--target is wanted: there is no terminal"),
    "three rows": (GOOD.head(3), ["--target", "y"], ExitCode.DATA_UNSUITABLE, "3 rows have a label"),
    "one class": (GOOD.assign(y=1), ["--target", "y"], ExitCode.DATA_UNSUITABLE, "is always '1'"),
    "an empty label": (GOOD.assign(y=None), ["--target", "y"], ExitCode.DATA_UNSUITABLE, "0 rows have a label"),
    "a constant table": (GOOD.assign(a=1, b=2), ["--target", "y"], ExitCode.DATA_UNSUITABLE, "no column of"),
    "a name that is none": (GOOD, ["--target", "y", "--name", "1 2"], ExitCode.CONFIGURATION, "cannot be a package"),
    "a name of another package": (GOOD, ["--target", "y", "--name", "pandas"], ExitCode.CONFIGURATION, "cannot be"),
    "an unknown CI system": (GOOD, ["--target", "y", "--ci", "gitlab"], ExitCode.CONFIGURATION, "no 'gitlab'"),
    "unknown endpoints": (GOOD, ["--target", "y", "--endpoints", "x"], ExitCode.CONFIGURATION, "--endpoints"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "options", "code", "told"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_made_is_refused_in_one_line(
    tmp_path: Path, table: pd.DataFrame | str | None, options: list[str], code: ExitCode, told: str
) -> None:
    file = tmp_path / "table.csv"
    if table is not None:
        text = table if isinstance(table, str) else table.to_csv(index=False)
        file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["init", str(file), "--into", str(tmp_path / "made"), *options])
    assert (result.exit_code, len(result.stderr.splitlines())) == (code, 1), result.output
    assert told in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == (["table.csv"] if file.exists() else [])


def test_a_folder_that_is_there_already_is_refused(tmp_path: Path) -> None:
    GOOD.to_csv(tmp_path / "table.csv", index=False)
    result = CliRunner().invoke(app, ["init", str(tmp_path / "table.csv"), "--target", "y", "--into", str(tmp_path)])
    assert (result.exit_code, "is there already" in result.stderr) == (ExitCode.CONFIGURATION, True)


def test_a_folder_that_init_did_not_make_cannot_be_updated(tmp_path: Path) -> None:
    (tmp_path / "mlops").mkdir()
    (tmp_path / "mlops" / "config-mlops.yml").touch()
    result = CliRunner().invoke(app, ["update", "--project", str(tmp_path)])
    assert (result.exit_code, "only what 'mlgates init' made" in result.stderr) == (ExitCode.CONFIGURATION, True)
