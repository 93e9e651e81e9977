"""Writes the reference pages from the code: `python docs/reference.py --write`; `--check` tells which are stale."""

import ast
import inspect
import itertools
import re
import sys
import tempfile
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer

import amlocal
import mlgates
from amlocal import cli as amlocal_cli
from amlocal import pytest_plugin as amlocal_plugin
from amlocal.assembly.build import build
from amlocal.core.context import Identity
from amlocal.core.http import Route, Router
from amlocal.core.unserved import FEATURES
from amlocal.settings import Settings as ServerSettings
from mlgates import pytest_plugin as mlgates_plugin
from mlgates.cli.app import app as mlgates_app
from mlgates.config.settings import KEYS, Scope, Settings
from mlgates.core.errors import ExitCode

FOLDER = Path(__file__).parent
MADE = "<!-- made by docs/reference.py; change the code, not this page -->"
SHARED = ("project", "require_azure", "debug", "help")
"""Options that nearly every command of mlgates has, told once."""
FILES = {Scope.SHARED: "config-mlops.yml", Scope.INFRA: "config-infra-ENV.yml"}
NAMES = Identity("S", "G", "W", guid="0")
AREAS = {
    "history": "run history",
    "data": "data",
    "mferp": "batchEndpoints",
    "batch": "scoring",
    "endpoints": "scoring",
    "mlflow": "MLflow",
    "devstore": "storage",
    "logs": "run history",
    "runs": "run history",
}
"""What lies below a first segment of a path that is not the workspace's own."""
COLLECTIONS = (
    *("batchEndpoints", "codes", "components", "computes", "connections", "data", "datastores", "environments"),
    *("featuresets", "featurestoreEntities", "indexes", "jobs", "marketplaceSubscriptions", "models"),
    *("onlineEndpoints", "outboundRules", "schedules", "serverlessEndpoints"),
)
"""What azure-ai-ml 1.35 knows below a workspace: the paths of its generated clients."""
WRONG = "/ "
"""A value that no check of a key takes: its complaint says what would be right."""


def cli() -> Iterator[str]:
    """Each command of mlgates and amlocal, with what it takes."""
    yield from (
        "# Commands",
        "",
        "Every command of mlgates also takes `--project FOLDER` (default: the nearest folder upwards with `mlops/`),",
        "`--require-azure` (refuse a local stand-in) and `--debug` (show the traceback of an error). `--help` tells",
        "the same as this page. Standard output carries results alone; what is told meanwhile goes to standard error.",
        "",
    )
    for name, commands in (("mlgates", mlgates_app), ("amlocal", amlocal_cli.app)):
        yield from _program(name, commands)
    yield from ("## Exit codes of mlgates", "", "| code | when |", "|---|---|")
    for code in ExitCode:
        yield _row(f"{code.value}", code.meaning)


def library() -> Iterator[str]:
    """Each name that `import mlgates` and `import amlocal` offer."""
    yield from (
        "# Library",
        "",
        "What programs and suites import: these names stay, the modules below them may move. A name is imported when",
        "it is used for the first time, since some bring in azure-ai-ml, MLflow or Great Expectations.",
    )
    for package in (mlgates, amlocal):
        yield from ("", f"## {package.__name__}", "")
        for name in package.__all__:
            yield from _documented(name, getattr(package, name))


def _documented(name: str, what: Any) -> Iterator[str]:
    signature = _signature(what) if callable(what) and not inspect.isclass(what) else ""
    yield from (f"### {name}", "")
    if signature:
        yield from ("```python", f"{name}{signature}", "```", "")
    yield from (inspect.cleandoc(what.__doc__ or ""), "")
    if inspect.isclass(what):
        for field, told in _field_docstrings(what).items():
            yield f"- `{field}`: {_line(told)}"
        for key, value in vars(what).items():
            if isinstance(value, property) and value.__doc__:
                yield f"- `{key}`: {_line(value.__doc__)}"
        for key, method in vars(what).items():
            public = inspect.isfunction(method) and not key.startswith("_") and method.__doc__
            if public and method.__qualname__ == f"{what.__name__}.{key}":
                yield f"- `{key}{_signature(method)}`: {_line(method.__doc__)}"
        yield ""


def _signature(function: Any) -> str:
    """Return a signature without the paths of modules, and without `self`."""
    signature = inspect.signature(function)
    given = [each for each in signature.parameters.values() if each.name != "self"]
    text = str(signature.replace(parameters=given))
    return re.sub(r"(\w+\.)+(?=\w)", "", text.replace("'", ""))


def settings() -> Iterator[str]:
    """Each key of the two kinds of configuration file."""
    told = _field_docstrings(Settings)
    yield from (
        "# Configuration keys",
        "",
        "Two files under `mlops/`, each with its keys below `variables:`, since Azure DevOps reads them as templates.",
        "An environment variable of the same name wins over the file. All keys must be there. A variable that is none",
        "of them is your pipelines' own; one that is nearly one is refused, with the nearest known one.",
        "`mlgates config --env ENV` prints every value with its source.",
        "",
        "What a gate wants is in `mlops/gates.yml` ([gates](gates.md)), how a release goes in `mlops/release.yml`",
        "([releases](release.md)); data, environment, job, model, endpoints and deployments are Azure ML's own YAML.",
    )
    for scope, file in FILES.items():
        yield from ("", f"## mlops/{file}", "", "| key | what it is | what it must be |", "|---|---|---|")
        for name, key in KEYS.items():
            if key.scope is scope:
                yield _row(f"`{name}`", told[name.lower()], str(key.check(WRONG)).removeprefix("must be "))


def fixtures() -> Iterator[str]:
    """The fixtures and options of the two pytest plugins."""
    yield from (
        "# Fixtures",
        "",
        "pytest loads both plugins by itself wherever the package is installed. [Testing](testing.md) shows their use.",
    )
    for title, plugin in (("mlgates", mlgates_plugin), ("amlocal", amlocal_plugin)):
        yield from ("", f"## Fixtures of {title}", "", "| fixture | scope | what it is |", "|---|---|---|")
        found = [(name, value) for name, value in sorted(vars(plugin).items()) if hasattr(value, "_fixture_function")]
        for name, fixture in found:
            yield _row(f"`{name}`", _scope(fixture), fixture.__doc__)
    yield from ("", "## Options of pytest", "", "| option | what it says |", "|---|---|")
    recorder = _Options()
    mlgates_plugin.pytest_addoption(recorder)  # type: ignore[arg-type]  # the part of a parser that it uses
    for option, metavar, told in recorder.found:
        yield _row(f"`{option} {metavar}`", told)


def served() -> Iterator[str]:
    """What the local workspace serves, and what it says no to."""
    yield from (
        "# What amlocal serves",
        "",
        "From its route tables, which lie below `https://127.0.0.1:PORT/`. `WORKSPACE` stands for",
        "`subscriptions/…/resourceGroups/…/providers/Microsoft.MachineLearningServices/workspaces/…`,",
        "`SUBSCRIPTION` and `GROUP` for the beginnings of it. Calls without `open` need a token that the workspace has",
        "signed; those with it check who asks by themselves (signed URLs, account keys, endpoint keys), or are open on",
        "Azure too. How each behaves, and where it differs from Azure, is told in [amlocal](amlocal.md).",
    )
    table = _table()
    for kind, rows in sorted(_by_kind(table).items()):
        yield from ("", f"## {kind}", "", "| methods | path | |", "|---|---|---|")
        for (path, auth), methods in rows.items():
            yield _row(", ".join(methods), f"`{path}`", "open" if auth == "open" else "")
    yield from ("", "## What is answered with 501", "", "The messages; what they fill in stands here as `…`:", "")
    yield from (f"- {message}" for message in _refusals())
    router = Router(table)
    missing = (f"`{name}`" for name in COLLECTIONS if not router.methods(f"{NAMES.arm_id}/{name}"))
    yield from (
        "",
        f"A path or a job of one of these is answered by its name: {', '.join(FEATURES)}.",
        "The message with the api-version answers everything that has no path above. Of the collections that a",
        f"workspace has on Azure, these are not there: {', '.join(missing)}.",
        "What MLflow's API answers otherwise than MLflow does is told in [amlocal](amlocal.md).",
    )


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "reference-cli.md": cli,
    "reference-settings.md": settings,
    "reference-fixtures.md": fixtures,
    "reference-amlocal.md": served,
    "reference-library.md": library,
}


def page(name: str) -> str:
    """Return the whole text of a page."""
    return "\n".join([MADE, "", *PAGES[name](), ""])


def stale() -> list[str]:
    """Return the pages that are not what the code makes of them."""
    files = {name: FOLDER / name for name in PAGES}
    return [name for name, file in files.items() if not file.exists() or file.read_text(encoding="utf-8") != page(name)]


def _program(name: str, commands: typer.Typer) -> Iterator[str]:
    group: Any = typer.main.get_command(commands)
    yield from (f"## {name}", "", _line(group.help), "")
    for command in sorted(group.commands):
        if not group.commands[command].hidden:
            yield from _command(name, group.commands[command])


def _command(program: str, command: Any) -> Iterator[str]:
    shown = [parameter for parameter in command.params if parameter.name not in SHARED]
    arguments = " ".join(parameter.metavar or parameter.name.upper() for parameter in shown if _is_argument(parameter))
    yield from (f"### {program} {command.name}", "", _line(command.help), "")
    if arguments:
        yield from (f"`{program} {command.name} {arguments}`", "")
    if shown:
        yield from ("| | what it says | default |", "|---|---|---|")
        yield from (_row(f"`{_spelled(each)}`", _told(each), _default(each)) for each in shown)
        yield ""


def _spelled(parameter: Any) -> str:
    if _is_argument(parameter):
        return str(parameter.metavar or parameter.name.upper())
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return names
    kind = _bare(parameter.type_descriptor.annotation)
    words = {int: "NUMBER", Path: "PATH"}
    return f"{names} {parameter.metavar or _choices(kind) or words.get(kind, 'TEXT')}"


def _told(parameter: Any) -> str:
    choices = _choices(_bare(parameter.type_descriptor.annotation)) if _is_argument(parameter) else ""
    variable = f"Also `{parameter.envvar}`." if parameter.envvar else ""
    return " ".join(filter(None, [parameter.help or "", f"One of {choices}." if choices else "", variable]))


def _default(parameter: Any) -> str:
    if parameter.required:
        return "must be given"
    if isinstance(parameter.show_default, str):
        return f"`{parameter.show_default}`"
    silent = parameter.default is None or parameter.default is False or parameter.default == ""
    return "" if silent else f"`{parameter.default}`".lower()


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _bare(annotation: Any) -> Any:
    inner = [each for each in get_args(annotation) if each is not types.NoneType]
    return inner[0] if inner else annotation


def _choices(kind: Any) -> str:
    return "|".join(str(each.value) for each in kind) if inspect.isclass(kind) and issubclass(kind, Enum) else ""


def _scope(fixture: Any) -> str:
    return str(fixture._fixture_function_marker.scope)  # noqa: SLF001 - pytest tells it nowhere else


class _Options:
    """The part of a pytest parser that `pytest_addoption` uses: what it declares is written down."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str, str]] = []

    def getgroup(self, _name: str) -> "_Options":
        return self

    def addoption(self, option: str, *, help: str, metavar: str = "", **_: object) -> None:  # noqa: A002 - pytest's
        self.found.append((option, metavar or option.lstrip("-").replace("-", "_").upper(), help))


def _table() -> Sequence[Route]:
    """Return the routes of a workspace whose names stand for themselves."""
    with tempfile.TemporaryDirectory() as folder:
        server = ServerSettings(root=Path(folder))
        server.folder.create()
        application = build(server, NAMES, "2026-01-01T00:00:00Z", "https://127.0.0.1")
        application._context.documents._database.close()  # noqa: SLF001 - it lives with a server, and none is started
        return application.routes


def _by_kind(table: Iterable[Route]) -> dict[str, dict[tuple[str, str], list[str]]]:
    """Return the methods of each path and kind of credential, by kind of resource, in the order of the table."""
    kinds: dict[str, dict[tuple[str, str], list[str]]] = {}
    for route in table:
        path = route.path
        for known, name in (
            (NAMES.arm_id, "WORKSPACE"),
            (NAMES.group_id, "GROUP"),
            ("/subscriptions/S", "SUBSCRIPTION"),
        ):
            path = path.replace(known, f"/{name}")
        path = path.replace(":path}", "}")
        methods = kinds.setdefault(_kind(path), {}).setdefault((path.removeprefix("/"), route.auth), [])
        methods += [] if route.method in methods else [route.method]
    return kinds


def _kind(path: str) -> str:
    first = path.split("/")[1].partition(".")[0]
    if first == "WORKSPACE" and path != "/WORKSPACE":
        return path.split("/")[2].partition(":")[0]
    return AREAS.get(first, "workspaces, identity and long operations")


def _refusals() -> list[str]:
    """Return the messages of every 501 in amlocal's sources; what they fill in stands as `…`."""
    found = set()
    for file in Path(amlocal.__path__[0]).rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                calls = (node for node in ast.walk(function) if isinstance(node, ast.Call) and node.args)
                texts = _assigned(function)
                found |= {_text(_message(call), texts) for call in calls if ast.unparse(call.args[0]) == "501"}
    return sorted(found)


def _message(call: ast.Call) -> ast.expr:
    """Return what the caller is told: the last argument, after the status (and storage's code)."""
    return call.args[-1]


def _assigned(function: ast.AST) -> dict[str, ast.expr]:
    assigned = (node for node in ast.walk(function) if isinstance(node, ast.Assign))
    return {target.id: node.value for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def _text(node: ast.expr, texts: Mapping[str, ast.expr]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, texts) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        node = node.value
    known = texts.get(node.id) if isinstance(node, ast.Name) else None
    return _text(known, texts) if isinstance(known, ast.Constant | ast.JoinedStr) else "…"


def _field_docstrings(declared: type) -> dict[str, str]:
    """Return the text below each field of a dataclass."""
    told = {}
    body = [line for definition in ast.walk(ast.parse(inspect.getsource(declared))) for line in _lines(definition)]
    for field, after in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr):
            told[ast.unparse(field.target)] = str(ast.literal_eval(after.value))
    return told


def _lines(definition: ast.AST) -> list[ast.stmt]:
    return definition.body if isinstance(definition, ast.ClassDef) else []


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _row(*cells: str | None) -> str:
    return f"| {' | '.join(_line(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def main(arguments: list[str]) -> int:
    """Write the pages, or tell which are stale; return the exit code."""
    if arguments == ["--write"]:
        for name in PAGES:
            (FOLDER / name).write_text(page(name), encoding="utf-8")
        return 0
    if arguments == ["--check"]:
        for name in stale():
            sys.stderr.write(f"docs/{name} is not what the code says: run python docs/reference.py --write\n")
        return 1 if stale() else 0
    sys.stderr.write("usage: python docs/reference.py --check|--write\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
