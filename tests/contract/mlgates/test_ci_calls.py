"""CI and the guides call nox sessions, and commands of mlgates, that exist; and nothing but nox does the work."""

import ast
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import typer
import typer.main
from typer.exceptions import TyperException

from mlgates.cli.app import app
from mlgates.config.project import find_project
from mlgates.core.layers import LAYERS
from mlgates.gates.declaration import read_gates
from mlgates.pipelines import dev, prod
from mlgates.pipelines.pipeline_run import PipelineRun
from tests.contract.mlgates.ci_graph import SYSTEMS

ROOT = Path(__file__).resolve().parents[3]
CALL = re.compile(r"\bnox((?:[ \t]+[^\s`\"'&|;)]+)*)")
"""A call of nox, with what follows it on the line."""


def files() -> Iterator[Path]:
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/ci.md"))
    for folder in (".ci", ".ado", ".github"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file())


def sessions() -> set[str]:
    """The sessions of noxfile.py, by reading it: a decorated function, under its `name=` or its own."""
    functions = [
        node for node in ast.parse((ROOT / "noxfile.py").read_text("utf-8")).body if isinstance(node, ast.FunctionDef)
    ]
    return {name for function in functions for name in declared(function)}


def by_default() -> list[str]:
    """The sessions that `nox` alone runs, and so CI."""
    for node in ast.parse((ROOT / "noxfile.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "nox.options.sessions":
            return list(ast.literal_eval(node.value))
    return []


def measured() -> set[str]:
    """The layers that the session `coverage` runs, each by the constant of the same name."""
    functions = (node for node in ast.parse((ROOT / "noxfile.py").read_text("utf-8")).body)
    (session,) = (node for node in functions if isinstance(node, ast.FunctionDef) and node.name == "coverage")
    return {node.id.lower() for node in ast.walk(session) if isinstance(node, ast.Name)} & set(LAYERS)


def declared(function: ast.FunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "nox.session":
            given = [ast.literal_eval(keyword.value) for keyword in decorator.keywords if keyword.arg == "name"]
            yield given[0] if given else function.name


def called(text: str) -> set[str]:
    """The sessions after `-s`, `--session` or `--sessions`; several may follow one option."""
    found: set[str] = set()
    for call in CALL.finditer(text):
        before, _, _ = call[1].partition(" -- ")
        words, taking = before.split(), False
        for word in words:
            option, _, value = word.partition("=")
            if word.startswith("-"):
                taking = option in {"-s", "--session", "--sessions", "-e"}
                found |= {value} if taking and value else set()
            elif taking:
                found.add(word.rstrip(".,:"))
    return {name.split("-3.")[0] for name in found if not name.startswith("$")}


@pytest.mark.parametrize("file", list(files()), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_session_that_is_called_exists(file: Path) -> None:
    assert called(file.read_text("utf-8")) <= sessions()


def test_ci_calls_nox() -> None:
    assert "nox" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("layer", [*LAYERS, "lint", "faults"])
def test_ci_runs_every_layer(layer: str) -> None:
    ran = set(by_default())
    assert layer in ran | (measured() if "coverage" in ran else set())


def test_what_ci_runs_exists() -> None:
    assert set(by_default()) <= sessions()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("python -m nox -s promote", {"promote"}),
        ("nox -s lint unit -- -k x", {"lint", "unit"}),
        ("`nox --session=data`", {"data"}),
        ("run: nox -s unit-on-3.12 && echo", {"unit-on"}),
        ("nox", set()),
        ('exec python -m nox "$@"', set()),
    ],
)
def test_calls_are_recognised(line: str, names: set[str]) -> None:
    assert called(line) == names


def test_a_call_of_a_session_that_does_not_exist_is_noticed() -> None:
    assert called("nox -s deploy-everything") - sessions() == {"deploy-everything"}


# What CI has `nox -s mlgates` run.


def commands_of_ci() -> list[str]:
    """The command lines of mlgates in both systems' files."""
    return sorted(
        {
            command.removeprefix("nox -s mlgates -- ")
            for system in SYSTEMS.values()
            for document in system.documents().values()
            for stage in system.read(document).stages
            for command in stage.commands
            if command.startswith("nox -s mlgates ")
        }
    )


def parsed(line: str) -> tuple[str, dict[str, object]]:
    """Return the command and its parameters, as mlgates' own parser takes them; nothing runs."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    context = typer.Context(group, info_name="mlgates")
    name, command, rest = group.resolve_command(context, shlex.split(line))
    assert command is not None
    return str(name), command.make_context(name, rest, parent=context).params


def stages_of(pipeline: object) -> list[str]:
    with ExitStack() as stack:
        run = PipelineRun.__new__(PipelineRun)  # the stages look into it only when they run
        plans = {dev.NAME: dev.plan(run, ROOT, stack), prod.NAME: prod.plan(run, ROOT, stack)}
    return [planned.name for planned in plans[str(pipeline)]]


def test_ci_calls_commands_of_mlgates() -> None:
    assert {parsed(line)[0] for line in commands_of_ci()} == {"gate", "pipeline"}


@pytest.mark.parametrize("line", commands_of_ci())
def test_a_command_of_ci_is_one_that_mlgates_takes(line: str) -> None:
    _, parameters = parsed(line)
    assert (ROOT / "mlops" / f"config-infra-{parameters['env']}.yml").is_file()


@pytest.mark.parametrize("line", [line for line in commands_of_ci() if "--until" in line])
def test_a_stage_that_ci_ends_with_exists(line: str) -> None:
    _, parameters = parsed(line)
    assert parameters["until"] in stages_of(parameters["name"])


@pytest.mark.parametrize("line", [line for line in commands_of_ci() if line.startswith("gate ")])
def test_a_gate_that_ci_runs_is_declared(line: str) -> None:
    _, parameters = parsed(line)
    file = find_project(ROOT).gates_file
    assert parameters["name"] in read_gates(file, file.name).gates


@pytest.mark.parametrize("line", ["gates qa", "gate", "gate qa --force", "pipeline test", "pipeline prod --until"])
def test_a_command_that_mlgates_does_not_take_is_noticed(line: str) -> None:
    with pytest.raises(TyperException):
        parsed(line)
