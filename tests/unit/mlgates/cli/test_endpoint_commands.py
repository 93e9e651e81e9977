from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlgates.cli import endpoint_commands
from mlgates.cli.app import app
from mlgates.config.project import Project
from mlgates.endpoint_client import EndpointClient, ScoringResponse
from tests.unit.mlgates.fake_workspace import FakeJob, FakeWorkspace, Status

Command = Callable[..., Result]


@pytest.fixture
def mlgates(project: Project, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line, in the test's project, led to the workspace in memory, which holds a version of the model."""
    workspace.models.create_or_update(type("Model", (), {"name": "classifier", "tags": {}}))
    monkeypatch.chdir(project.root)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    return lambda *words, **more: CliRunner().invoke(app, [*words], obj=lambda settings: workspace, **more)


def test_deploy_says_what_serves_and_what_comes_next(mlgates: Command) -> None:
    *deployed, following = mlgates("deploy").stdout.splitlines()
    assert sorted(deployed) == [
        "batch  batch-local/blue serves classifier:1",
        "online online-local/blue serves classifier:1",
    ]
    assert following.startswith("next ")
    assert following.endswith("mlgates test --env local")


def test_deploy_with_a_trial_ends_with_the_lines_that_call_the_endpoints(mlgates: Command) -> None:
    lines = mlgates("deploy", "--test", "--only", "batch").stdout.splitlines()
    assert lines[-2] == "call them:"
    assert lines[-1].endswith("mlgates invoke batch data/batch.csv --env local")


def test_a_deployment_that_fails_is_a_failed_command(mlgates: Command, workspace: FakeWorkspace) -> None:
    workspace.online_deployments.failure = "User container has crashed"
    result = mlgates("deploy", "--only", "online")
    assert (result.exit_code, "  | last line" in result.stderr) == (7, True)


def test_test_reports_what_came_back(mlgates: Command) -> None:
    mlgates("deploy", "--only", "batch")
    result = mlgates("test", "--only", "batch")
    assert result.stdout.splitlines()[0] == "batch  batch-local scored 2 rows (job job-1)"


def test_a_trial_that_fails_is_a_failed_command(mlgates: Command, workspace: FakeWorkspace) -> None:
    mlgates("deploy", "--only", "batch")
    workspace.jobs.predictions = ""
    assert mlgates("test", "--only", "batch").exit_code == 8


def test_batch_is_invoked_with_a_file_and_says_where_the_predictions_are(
    mlgates: Command, workspace: FakeWorkspace, tmp_path: Path
) -> None:
    mlgates("deploy", "--only", "batch")
    result = mlgates("invoke", "batch", "data/batch.csv", "--output", str(tmp_path / "out"))
    assert Path(result.stdout.strip()).read_text() == workspace.jobs.predictions


@pytest.mark.parametrize("kind", ["online", "batch"])
def test_what_is_not_there_cannot_be_asked(mlgates: Command, kind: str) -> None:
    result = mlgates("invoke", kind, "nowhere.json")
    assert (result.exit_code, "nowhere.json is not there" in result.stderr) == (4, True)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (424, 8)])
def test_online_is_invoked_with_a_request(
    mlgates: Command, monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    mlgates("deploy", "--only", "online")
    monkeypatch.setattr(EndpointClient, "score", lambda *_: ScoringResponse(status, b"[0]"))
    result = mlgates("invoke", "online", "data/online.json")
    assert (result.exit_code, "[0]" in (result.stdout if code == 0 else result.stderr)) == (code, True)


def test_the_log_of_the_deployment_that_has_the_traffic_is_printed(mlgates: Command) -> None:
    mlgates("deploy", "--only", "online")
    assert mlgates("logs", "online", "--lines", "1").stdout == "last line\n"


def test_the_log_of_batch_is_printed(mlgates: Command, workspace: FakeWorkspace) -> None:
    workspace.jobs.held = [FakeJob("job-1", Status.COMPLETED, "batch-local")]
    workspace.jobs.stored_log = "scored\n"
    assert mlgates("logs", "batch").stdout == "scored\n"


def test_the_key_alone_is_on_standard_output(mlgates: Command) -> None:
    mlgates("deploy", "--only", "online")
    assert mlgates("key").stdout == "the key\n"


def test_destroying_without_a_person_wants_yes(mlgates: Command, workspace: FakeWorkspace) -> None:
    mlgates("deploy", "--only", "online")
    result = mlgates("destroy")
    assert (result.exit_code, "say --yes" in result.stderr) == (2, True)
    assert workspace.online_endpoints.held


def test_destroying_with_yes_deletes_the_endpoints(mlgates: Command, workspace: FakeWorkspace) -> None:
    mlgates("deploy")
    assert sorted(mlgates("destroy", "--yes").stdout.splitlines()) == ["batch-local deleted", "online-local deleted"]
    assert (workspace.online_endpoints.held, workspace.batch_endpoints.held) == ({}, {})


@pytest.mark.parametrize(("answer", "left"), [("n\n", 1), ("y\n", 0)])
def test_a_person_is_asked_first(
    mlgates: Command, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    mlgates("deploy", "--only", "online")
    monkeypatch.setattr(endpoint_commands, "is_answered", lambda: True)
    mlgates("destroy", "--only", "online", input=answer)
    assert len(workspace.online_endpoints.held) == left
