"""A client reaches the workspace that is meant, and a local one is started by amlocal's own command."""

import json
import sys
import textwrap
from pathlib import Path

import pytest

from mlgates.core.errors import WorkspaceUnavailable
from mlgates.delivery.connection import LocalWorkspace


def playing(tmp_path: Path, script: str, timeout_s: float = 30.0) -> LocalWorkspace:
    """A workspace whose `amlocal` is a script that is given the arguments as `words`."""
    program = tmp_path / "amlocal.py"
    program.write_text("import json, sys\nwords = sys.argv[1:]\n" + textwrap.dedent(script))
    command = (sys.executable, str(program))
    return LocalWorkspace(tmp_path / "state", "ws", "rg", "sub", command=command, timeout_s=timeout_s)


def test_starting_returns_the_variables_that_lead_there(tmp_path: Path) -> None:
    workspace = playing(tmp_path, "if words[0] == 'env': print(json.dumps({'PORT': 1234, 'NAME': 'x'}))")
    assert workspace.start() == {"PORT": "1234", "NAME": "x"}


def test_the_workspace_is_started_in_the_background_under_its_own_names(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    playing(tmp_path, f"open({str(asked)!r}, 'a').write(json.dumps(words) + chr(10))\nprint('{{}}')").start()
    first, second = (json.loads(line) for line in asked.read_text().splitlines())
    names = ["--root", str(tmp_path / "state"), "--workspace", "ws"]
    assert first == ["up", "--detach", *names, "--resource-group", "rg", "--subscription", "sub"]
    assert second == ["env", *names, "--format", "json"]


def test_stopping_names_the_same_workspace(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    playing(tmp_path, f"open({str(asked)!r}, 'w').write(json.dumps(words))").stop()
    assert json.loads(asked.read_text()) == ["down", "--root", str(tmp_path / "state"), "--workspace", "ws"]


def test_a_failure_is_reported_in_amlocals_own_last_words(tmp_path: Path) -> None:
    workspace = playing(tmp_path, "sys.exit('trying\\nport 4711 is in use')")
    with pytest.raises(WorkspaceUnavailable, match=r"^'amlocal up' failed: port 4711 is in use$"):
        workspace.start()


def test_a_silent_failure_is_reported_as_such(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceUnavailable, match="it said nothing"):
        playing(tmp_path, "sys.exit(3)").stop()


def test_an_endless_start_is_given_up(tmp_path: Path) -> None:
    workspace = playing(tmp_path, "import threading; threading.Event().wait()", timeout_s=0.2)
    with pytest.raises(WorkspaceUnavailable, match="has not answered"):
        workspace.start()


@pytest.mark.parametrize("answer", ["no json", "[1]"])
def test_variables_that_make_no_sense_are_refused(tmp_path: Path, answer: str) -> None:
    with pytest.raises(WorkspaceUnavailable, match="did not answer with variables"):
        playing(tmp_path, f"print({answer!r})").start()
