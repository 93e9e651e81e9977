from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlgates.cli.app import app
from mlgates.config.project import Project
from mlgates.core.ledger import Action, Draft
from tests.unit.mlgates.fake_workspace import FakeWorkspace

Command = Callable[..., Result]


@pytest.fixture
def mlgates(project: Project, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """The command line, in a project whose workspace holds a version of the model that has been through no gate."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text("1")
    model = type("Model", (), {"name": "classifier", "version": "1", "path": str(folder), "tags": {}})
    workspace.models.create_or_update(model)
    project.release_file.write_text("keep_old_for_hours: 1\n")
    monkeypatch.chdir(project.root)
    return lambda *words: CliRunner().invoke(app, [*words], obj=lambda settings: workspace)


def written(workspace: FakeWorkspace, action: Action, **more: str) -> None:
    from mlgates.delivery.workspace_ledger import Ledger  # noqa: PLC0415 - brings in azure-ai-ml

    fields = {"reason": "[b]why[/b]", **more}
    draft = Draft(action=action, by="Ann", model="classifier:1", **fields)  # type: ignore[arg-type]
    Ledger(workspace, "classifier").append(lambda _: draft)  # type: ignore[arg-type]


def test_the_history_of_nothing_is_reported(mlgates: Command) -> None:
    assert "none yet" in mlgates("history").stdout


def test_the_history_lists_every_entry_as_it_was_written(mlgates: Command, workspace: FakeWorkspace) -> None:
    written(workspace, Action.APPROVED)
    written(workspace, Action.REJECTED)
    shown = mlgates("history").stdout
    assert shown.index("approved") < shown.index("rejected")
    assert "[b]why[/b]" in shown.replace("\n", "")


def test_the_history_of_another_version_is_another(mlgates: Command, workspace: FakeWorkspace) -> None:
    written(workspace, Action.APPROVED)
    assert "approved" not in mlgates("history", "--model", "2").stdout


def test_a_broken_chain_is_reported_and_fails(mlgates: Command, workspace: FakeWorkspace) -> None:
    for _ in range(3):
        written(workspace, Action.APPROVED)
    workspace.data._versions["classifier-ledger"].pop(1)
    result = mlgates("history")
    assert (result.exit_code, "chain of ledger classifier-ledger is broken: entry 2 is missing" in result.stderr) == (
        16, True,
    )  # fmt: skip


@pytest.mark.usefixtures("no_runs")
def test_a_ledger_that_is_whole_says_so(mlgates: Command, workspace: FakeWorkspace) -> None:
    written(workspace, Action.REJECTED)
    shown = mlgates("ledger", "verify")
    assert shown.exit_code == 0
    assert "agrees: model classifier:1 names entry 1" in shown.stdout


@pytest.mark.usefixtures("no_runs")
def test_a_ledger_that_lost_its_end_says_what_is_gone_and_how_to_go_on(
    mlgates: Command, workspace: FakeWorkspace
) -> None:
    written(workspace, Action.APPROVED)
    written(workspace, Action.REJECTED)
    workspace.data.delete("classifier-ledger", "2")
    shown = mlgates("ledger", "verify")
    assert (shown.exit_code, "broken: model classifier:1 names entry 2" in shown.stdout) == (16, True)
    assert "mlgates ledger repair --env local" in shown.stderr
    repaired = mlgates("ledger", "repair", "--by", "Ann", "--reason", "cleaned up")
    assert (repaired.exit_code, repaired.stdout.splitlines()[0]) == (0, "entry 3: repaired by Ann: cleaned up")
    assert mlgates("ledger", "verify").exit_code == 0
    kept = mlgates("history").stdout
    assert kept.index("repaired") < kept.index("rejected")


@pytest.fixture
def no_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run of a training has an anchor."""
    monkeypatch.setattr("mlgates.delivery.workspace_ledger.tagged_runs", lambda *_: {})


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("approve", "classifier:1", "--by", "Ann", "--reason", "x"), 13, "has not been through gate prod"),
        (("approve", "classifier:9", "--by", "Ann", "--reason", "x"), 4, "no version 9 of model classifier"),
        (("approve", "classifier:1", "--by", "", "--reason", "x"), 2, "--by is empty"),
        (("reject", "other:1", "--by", "Ann", "--reason", "x"), 4, "name it as classifier:VERSION"),
        (("release",), 13, "has not been through gate prod"),
        (("rollback",), 13, "nothing has been released"),
        (("unlock", "--by", "Ann"), 2, "is not locked"),
        (("unlock", "--by", " "), 2, "--by is empty"),
        (("ledger", "repair", "--reason", "why"), 2, "--by is empty"),
        (("ledger", "repair", "--by", "Ann"), 2, "--reason is empty"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_its_exit_code(
    mlgates: Command, words: tuple[str, ...], code: int, message: str
) -> None:
    result = mlgates(*words)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert (result.exit_code, len(errors), message in errors[0]) == (code, 1, True)


def test_a_rejection_says_what_it_is_about(mlgates: Command) -> None:
    first, second = mlgates("reject", "classifier:1", "--by", "Ann", "--reason", "too slow").stdout.splitlines()
    assert first == "classifier:1 rejected by Ann: too slow"
    assert second.startswith("content ")


def test_a_lock_is_broken_by_somebody(mlgates: Command, workspace: FakeWorkspace) -> None:
    written(workspace, Action.LOCKED, endpoint="online-local")
    assert mlgates("unlock", "--by", "Bob").stdout == (
        "online-local is free: the lock for classifier:1 is broken by Bob\n"
    )


def test_tidying_where_there_is_nothing_says_so(mlgates: Command) -> None:
    assert mlgates("tidy").stdout.startswith("nothing to take away")
