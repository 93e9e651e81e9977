"""`mlgates contract`: what is shown of a model, from a folder and from the workspace, and what is said of two."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from mlgates.cli.app import app
from mlgates.config.project import Project
from tests.unit.mlgates.contract.models import write_model
from tests.unit.mlgates.fake_workspace import FakeWorkspace

Command = Callable[..., Result]

A = {"type": "double", "name": "a", "required": True}
B = {"type": "string", "name": "b", "required": False}
CLASS = {"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}
SIGNATURE: dict[str, Any] = {
    "inputs": [A, B],
    "outputs": [CLASS],
    "params": [{"name": "n", "type": "long", "default": 3, "shape": None}],
}


@pytest.fixture
def mlgates(project: Project, workspace: FakeWorkspace) -> Command:
    def run(*words: str) -> Result:
        return CliRunner().invoke(
            app, ["contract", *words, "--project", str(project.root)], obj=lambda settings: workspace
        )

    return run


def model(folder: Path, **signature: Any) -> str:
    folder.mkdir()
    example = {"columns": ["a", "b"], "data": [[1.0, "x"]]}
    return str(write_model(folder, {**SIGNATURE, **signature} if signature.get("inputs", ...) else None, example))


def registered(workspace: FakeWorkspace, *folders: str) -> None:
    for folder in folders:
        workspace.models.create_or_update(type("Model", (), {"name": "classifier", "tags": {}, "path": folder}))


def test_a_person_reads_a_line_a_promise(mlgates: Command, tmp_path: Path) -> None:
    assert mlgates("--model", model(tmp_path / "mine")).stdout.splitlines() == [
        "model    mine",
        "input    a double",
        "input    b string, may be left out",
        "output   int64 [-1]",
        "param    n long, 3 by default",
        "format   positional (MLflow alone: a deployment answers 424)",
        "format   split",
        "format   records (MLflow alone: a deployment answers 424)",
    ]


def test_the_schema_of_request_and_answer_is_printed(mlgates: Command, tmp_path: Path) -> None:
    printed = json.loads(mlgates("--schema", "--model", model(tmp_path / "mine")).stdout)
    assert Draft202012Validator(printed["request"]).is_valid({"input_data": {"columns": ["a"], "data": [[1]]}})
    assert not Draft202012Validator(printed["request"]).is_valid({"input_data": [{"a": 1}]})
    assert not Draft202012Validator(printed["response"]).is_valid(["yes"])


def test_the_openapi_document_names_the_model_and_its_version(
    mlgates: Command, workspace: FakeWorkspace, tmp_path: Path
) -> None:
    registered(workspace, model(tmp_path / "one"))
    printed = json.loads(mlgates("--openapi", "--env", "dev").stdout)
    assert printed["info"] == {"title": "classifier", "version": "1"}


def test_without_a_model_the_newest_of_the_workspace_is_shown(
    mlgates: Command, workspace: FakeWorkspace, tmp_path: Path
) -> None:
    registered(workspace, model(tmp_path / "one"), model(tmp_path / "two", inputs=[A]))
    assert mlgates().stdout.splitlines()[:3] == ["model    classifier:2", "input    a double", "output   int64 [-1]"]


def test_a_workspace_without_a_model_says_how_to_get_one(mlgates: Command) -> None:
    result = mlgates()
    assert (result.exit_code, "run 'mlgates train --register'" in result.stderr) == (4, True)


def test_a_registered_folder_that_is_no_mlflow_model_is_reported(
    mlgates: Command, workspace: FakeWorkspace, tmp_path: Path
) -> None:
    (tmp_path / "weights").mkdir()
    registered(workspace, str(tmp_path / "weights"))
    assert "classifier:1 has no file MLmodel" in mlgates("--model", "1").stderr


def test_a_model_that_is_nowhere_is_reported(mlgates: Command) -> None:
    result = mlgates("--model", "nowhere")
    assert (result.exit_code, "no such folder" in result.stderr) == (4, True)


def test_a_model_without_signature_is_one_clear_line(mlgates: Command, tmp_path: Path) -> None:
    result = mlgates("--model", model(tmp_path / "mine", inputs=None))
    lines = result.stderr.splitlines()[1:]
    assert (result.exit_code, len(lines), "infer_signature" in lines[0]) == (2, 1, True)


def test_a_version_that_is_not_there_is_reported(mlgates: Command, workspace: FakeWorkspace, tmp_path: Path) -> None:
    registered(workspace, model(tmp_path / "one"))
    assert "no version 7 of model classifier (known: 1)" in mlgates("--model", "7").stderr


def test_two_forms_at_once_are_refused(mlgates: Command) -> None:
    assert mlgates("--schema", "--openapi").exit_code == 2


def test_a_compatible_candidate_is_a_success(mlgates: Command, tmp_path: Path) -> None:
    result = mlgates("--compare", model(tmp_path / "one", inputs=[A]), model(tmp_path / "two"))
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["compatible: input 'b' is new and may be left out", "compatible"],
    )


def test_an_unchanged_contract_says_so(mlgates: Command, tmp_path: Path) -> None:
    assert mlgates("--compare", *[model(tmp_path / "one")] * 2).stdout == "the contract is unchanged\n"


def test_a_breaking_candidate_is_a_failure_with_the_reason(
    mlgates: Command, workspace: FakeWorkspace, tmp_path: Path
) -> None:
    registered(workspace, model(tmp_path / "one"))
    result = mlgates("--compare", "1", model(tmp_path / "two", inputs=[{**A, "name": "A"}, B]))
    assert result.exit_code == 20
    assert "breaking: input 'a' is gone, and requests that have it are refused" in result.stdout
    assert "input 'A' is new and required" in result.stderr.splitlines()[-1]
