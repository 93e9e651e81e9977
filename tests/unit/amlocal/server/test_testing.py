"""The public context managers, with a server that is only said to run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from amlocal import state, testing
from amlocal.launcher import RunningServer
from amlocal.settings import Settings


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[RunningServer]:
    """The servers that were stopped; none is really started."""

    def start(settings: Settings) -> RunningServer:
        settings.folder.create()
        state.prepare(settings, {})
        return RunningServer(settings.folder, "https://127.0.0.1:1", os.getpid())

    stopped: list[RunningServer] = []
    monkeypatch.setattr(testing, "start", start)
    monkeypatch.setattr(testing, "stop", stopped.append)
    return stopped


@pytest.fixture
def workspace(stopped: list[RunningServer]) -> Iterator[testing.LocalWorkspace]:
    with testing.local_workspace() as workspace:
        yield workspace


def test_a_workspace_says_its_names(stopped: list[RunningServer]) -> None:
    with testing.local_workspace(workspace="w", resource_group="g", subscription="s") as workspace:
        assert (workspace.name, workspace.resource_group, workspace.subscription) == ("w", "g", "s")


def test_a_temporary_folder_goes_with_its_workspace(stopped: list[RunningServer]) -> None:
    with testing.local_workspace() as workspace:
        assert workspace.folder.is_dir()
        assert stopped == []
    assert len(stopped) == 1
    assert not workspace.folder.exists()


def test_a_folder_of_the_callers_stays(stopped: list[RunningServer], tmp_path: Path) -> None:
    with testing.local_workspace(tmp_path):
        pass
    assert (tmp_path / "local" / "identity.json").exists()


def test_a_workspace_is_stopped_after_an_error_too(stopped: list[RunningServer]) -> None:
    with pytest.raises(ZeroDivisionError), testing.local_workspace():
        raise ZeroDivisionError
    assert len(stopped) == 1


def test_the_environment_is_that_of_the_caller_until_it_is_used(workspace: testing.LocalWorkspace) -> None:
    assert os.environ.get("IDENTITY_ENDPOINT") != workspace.environ["IDENTITY_ENDPOINT"]


def test_a_workspace_is_used_for_as_long_as_the_block_lasts(
    workspace: testing.LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "before")
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    with testing.use(workspace):
        assert os.environ["IDENTITY_HEADER"] == workspace.environ["IDENTITY_HEADER"]
    assert os.environ["IDENTITY_HEADER"] == "before"
    assert "IDENTITY_ENDPOINT" not in os.environ


def test_the_fixture_leads_the_session_to_a_workspace(
    stopped: list[RunningServer], pytestconfig: pytest.Config
) -> None:
    from amlocal.pytest_plugin import amlocal_workspace  # noqa: PLC0415

    made = amlocal_workspace.__wrapped__(pytestconfig)  # type: ignore[attr-defined]  # the function behind the fixture
    workspace = next(made)
    assert os.environ["IDENTITY_HEADER"] == workspace.environ["IDENTITY_HEADER"]
    with pytest.raises(StopIteration):
        next(made)
    assert os.environ.get("IDENTITY_HEADER") != workspace.environ["IDENTITY_HEADER"]
