"""CI, the README and the contributor's guide call nox sessions that exist, and nothing but nox does the work."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlgates.core.layers import LAYERS

ROOT = Path(__file__).resolve().parents[3]
CALL = re.compile(r"\bnox((?:[ \t]+[^\s`\"'&|;)]+)*)")
"""A call of nox, with what follows it on the line."""


def files() -> Iterator[Path]:
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md"))
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
    assert layer in by_default()


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
