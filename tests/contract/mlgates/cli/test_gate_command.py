"""The gate of a commit by the command: what is wrong is one line with the exit code of its kind; the record is kept."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlgates.cli.app import app
from mlgates.config.project import Project
from tests.contract.mlgates.git_folder import committed

Gate = Callable[..., Result]
COMMIT = "0123456789abcdef"
DECLARED = "evaluation: {label: Diabetic}\nqa: {suites: {layers: {unit: 10}}}\n"


@pytest.fixture
def gate(project: Project, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Runs `mlgates gate NAME` in the test's project, at a known commit, with this gates.yml."""
    monkeypatch.setenv("AZUREML_GIT_COMMIT", COMMIT)

    def run(name: str, declared: str | None = DECLARED) -> Result:
        if declared is not None:
            project.gates_file.write_text(declared)
        return CliRunner().invoke(app, ["gate", name, "--project", str(project.root)])

    return run


def report(project: Project, **changed: object) -> None:
    """Leave what the unit suite leaves."""
    counts: Mapping[str, object] = {"passed": 12, "failed": 0, "skipped": 0, "commit": COMMIT, "dirty": False}
    folder = project.reports / "suites"
    folder.mkdir(parents=True)
    (folder / "unit.json").write_text(json.dumps({**counts, **changed}))


def last_line(result: Result) -> str:
    return result.stderr.splitlines()[-1].strip()


def test_a_gate_that_holds_opens(gate: Gate, project: Project) -> None:
    report(project)
    result = gate("qa")
    assert (result.exit_code, "gate qa for commit 0123456789ab passed" in result.stdout) == (0, True)


def test_its_record_is_kept_in_the_project(gate: Gate, project: Project) -> None:
    report(project)
    gate("qa")
    record = json.loads((project.reports / "gates" / "qa.json").read_text())
    assert (record["passed"], record["commit"], record["results"][0]["name"]) == (True, COMMIT, "suites.unit")


def test_in_ci_it_is_shown_on_the_page_of_the_run_though_it_failed(
    gate: Gate, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    gate("qa")
    assert (tmp_path / "summary").read_text().strip() == (project.reports / "gates" / "qa.md").read_text().strip()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"failed": 2}, "suites.unit failed: 2 failed -> run 'nox -s unit' on this commit and mend what fails"),
        ({"passed": 3}, "suites.unit failed: 3 passed, at least 10 are required"),
        ({"commit": "fedcba987654321"}, "suites.unit failed: it ran on commit fedcba987654, this is 0123456789ab"),
    ],
)
def test_a_gate_that_fails_says_why(gate: Gate, project: Project, changed: dict[str, object], reason: str) -> None:
    report(project, **changed)
    result = gate("qa")
    assert result.exit_code == 9
    assert last_line(result).startswith(reason)


@pytest.mark.parametrize("commit", [None, "unknown"])
def test_there_is_no_gate_for_a_commit_that_nobody_knows(
    gate: Gate, project: Project, monkeypatch: pytest.MonkeyPatch, commit: str | None
) -> None:
    monkeypatch.delenv("AZUREML_GIT_COMMIT")
    if commit:
        monkeypatch.setenv("AZUREML_GIT_COMMIT", commit)
    report(project, commit="unknown")
    result = gate("qa")
    assert (result.exit_code, "passed" in result.stdout) == (17, False)


def test_a_checkout_of_another_owner_has_no_gate_and_gits_reason_is_said(
    gate: Gate, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZUREML_GIT_COMMIT")
    report(project, commit=committed(project.root))
    assert gate("qa").exit_code == 0
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    result = gate("qa")
    assert result.exit_code == 17
    assert "detected dubious ownership in repository" in last_line(result)


def test_a_suite_that_ran_on_no_known_commit_says_why(gate: Gate, project: Project) -> None:
    report(project, commit="unknown", reason="git says no")
    assert last_line(gate("qa")).startswith("suites.unit failed: it ran on no known commit (git says no)")


def test_a_suite_that_did_not_run_fails_it(gate: Gate) -> None:
    result = gate("qa")
    assert result.exit_code == 9
    assert last_line(result) == "suites could not run: the unit suite has left no report -> run 'nox -s unit' first"


@pytest.mark.parametrize(
    ("name", "declared", "complaint"),
    [
        ("dev", DECLARED, "error: mlops/gates.yml declares no gate 'dev'. Known: qa"),
        ("qa", "qa: [", "error: mlops/gates.yml is not YAML: "),
        ("qa", DECLARED.replace("suites", "suits"), "there is no check 'suits'. Did you mean 'suites'?"),
        ("qa", DECLARED.replace("10", "many"), "qa.suites.layers.unit: input should be a valid integer, not 'many'"),
    ],
)
def test_a_declaration_that_is_wrong_is_one_line(gate: Gate, name: str, declared: str, complaint: str) -> None:
    result = gate(name, declared)
    assert result.exit_code == 2
    assert complaint in last_line(result)


def test_a_project_without_gates_says_where_they_are_declared(gate: Gate, project: Project) -> None:
    project.gates_file.unlink(missing_ok=True)
    result = gate("qa", None)
    assert result.exit_code == 2
    assert last_line(result).startswith("error: mlops/gates.yml is not there")


def test_the_reports_of_an_earlier_run_are_replaced(gate: Gate, project: Project) -> None:
    report(project)
    gate("qa")
    shutil.rmtree(project.reports / "suites")
    gate("qa")
    assert json.loads(Path(project.reports, "gates", "qa.json").read_text())["passed"] is False
