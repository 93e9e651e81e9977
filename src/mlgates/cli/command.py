"""How a command is declared, and what it works with: its options, its settings, its outputs, one line for an error."""

import codecs
import functools
import inspect
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.core import TyperGroup

from mlgates.config.project import find_project
from mlgates.config.settings import LOCAL, Settings, Target, load_settings
from mlgates.core.errors import ExitCode, MlgatesError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Body = Callable[..., None]
"""What a command does: a function of the session and its parameters."""

_ENV = Annotated[str, typer.Option("--env", help="Environment: the X of a file mlops/config-infra-X.yml.")]
_SHARED = {
    "project": (
        Annotated[Path | None, typer.Option(help="The project's folder. Default: the nearest with mlops/.")],
        None,
    ),
    "require_azure": (
        Annotated[bool, typer.Option("--require-azure", help="Refuse an environment that is only a local stand-in.")],
        False,
    ),
    "debug": (Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")], False),
}
_PIPE_WIDTH = 1000
"""Columns of what is no terminal: a table in a pipe keeps its words whole, for `grep` and `cut`."""
# In one character each, so that columns stay columns.
_PLAIN = {"✓": "+", "✗": "x", "▶": ">", "…": "~", "—": "-", "→": ">", "·": "."}
_HANDLER = "mlgates.plain"


class Group(StrEnum):
    """What belongs together in `mlgates --help`."""

    START = "Begin"
    TRAIN = "Train and register"
    SERVE = "Deploy and call"
    GATE = "Test and gate"
    RELEASE = "Approve and release"
    PROJECT = "Look around"


class Commands(TyperGroup):
    """Lists the commands of `--help` in their groups, in the order in which they are declared."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names as they were declared."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one section a group."""
        listed = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        for group in Group:
            members = [(name, one) for name, one in listed.items() if one and _group_of(one) is group]
            width = formatter.width - 6 - max(map(len, listed))
            with formatter.section(str(group)):
                formatter.write_dl([(name, one.get_short_help_str(width)) for name, one in members])


def _group_of(command: Any) -> Group:
    return Group(command.rich_help_panel)


def command(
    app: typer.Typer, group: Group, name: str | None = None, *, env_from: str | None = None
) -> Callable[[Body], Body]:
    """Register a function of a `Session` as a command; `--env` and the options of every command are added.

    With `env_from` the environment is by default what that parameter says, and not `local`.
    """

    def registered(body: Body) -> Body:
        hints = get_type_hints(body, include_extras=True)
        own = [
            _parameter(each.name, hints[each.name], each.default)
            for each in list(inspect.signature(body).parameters.values())[1:]
        ]
        env = Annotated[str | None, *_ENV.__metadata__] if env_from else _ENV  # type: ignore[attr-defined]
        arguments = list(filter(_is_argument, own))
        options = [each for each in own if not _is_argument(each)]
        shared = [_parameter(key, hint, default) for key, (hint, default) in _SHARED.items()]
        started = _parameter("context", typer.Context, inspect.Parameter.empty)
        environment = _parameter("env", env, None if env_from else LOCAL)

        @functools.wraps(body)
        def run(context: typer.Context, **given: Any) -> None:
            chosen = given.pop("env") or str(given[env_from or ""])
            options = {key: given.pop(key) for key in _SHARED}
            with session(context, env=chosen, **options) as work:
                body(work, **given)

        run.__signature__ = inspect.Signature([started, *arguments, environment, *options, *shared])  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in run.__signature__.parameters.values()}  # type: ignore[attr-defined]
        app.command(name, rich_help_panel=str(group))(run)
        return body

    return registered


def _parameter(name: str, hint: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=default)


def _is_argument(parameter: inspect.Parameter) -> bool:
    metadata: Iterable[object] = getattr(parameter.annotation, "__metadata__", ())
    return any(isinstance(each, typer.models.ArgumentInfo) for each in metadata)


class OutputFormat(StrEnum):
    """How facts are printed."""

    TEXT = "text"
    JSON = "json"


Output = Annotated[OutputFormat, typer.Option("--output", "-o", help="text for people, json for programs.")]


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work."""

    settings: Settings
    progress: "Console"
    """For people, on standard error: standard output carries results only."""
    output: "Console"
    connector: Callable[[Settings], Any]
    json: bool = False
    """Facts are printed as JSON, and nothing else on standard output."""

    def printing(self, output: OutputFormat) -> "Session":
        """Return the same command at work, with its facts printed in this format."""
        return replace(self, json=output is OutputFormat.JSON)

    def connect(self) -> Any:
        """Return a client of the workspace; raise `WorkspaceUnavailable` when there is none."""
        waiting = self.progress.status("connecting: azure-ai-ml takes seconds to load")
        with waiting if self.progress.is_terminal else nullcontext():
            return self.connector(self.settings)

    def say(self, line: str) -> None:
        """Print one line of the result, unchanged; beside JSON it goes to standard error."""
        console = self.progress if self.json else self.output
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    def facts(self, facts: object, shown: "RenderableType") -> None:
        """Print `facts`, of JSON's types, when JSON is asked for, else what is `shown` to people."""
        if self.json:
            self.output.print(as_json(facts), markup=False, highlight=False, soft_wrap=True)
        elif isinstance(shown, str):
            self.say(shown)
        else:
            self.output.print(shown)


def as_json(facts: object) -> str:
    """Return JSON that every reader takes: a number that is none, or infinite, is null."""
    strict = json.loads(json.dumps(facts), parse_constant=lambda _: None)
    return json.dumps(strict, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class PlainSession:
    """A command at work that needs no project."""

    progress: "Console"
    output: "Console"

    def say(self, line: str) -> None:
        """Print one line of the result, unchanged."""
        self.output.print(line, markup=False, highlight=False, soft_wrap=True)

    def tell(self, line: str) -> None:
        """Say on standard error what goes on."""
        self.progress.print(line, markup=False, highlight=False, soft_wrap=True, style="dim")


@contextmanager
def plain_session(*, debug: bool) -> Iterator[PlainSession]:
    """Turn an `MlgatesError` into its line and exit code, for a command that needs no project."""
    progress, output = _consoles()
    with _errors_in_one_line(progress, debug=debug):
        yield PlainSession(progress, output)


@contextmanager
def session(
    context: typer.Context, *, env: str, project: Path | None, require_azure: bool, debug: bool
) -> Iterator[Session]:
    """Load the settings, say which workspace is meant, and turn an `MlgatesError` into its line and exit code."""
    progress, output = _consoles()
    with _errors_in_one_line(progress, debug=debug):
        home = find_project((project or Path.cwd()).absolute())
        settings = load_settings(home, env, environ=os.environ, require_azure=require_azure)
        progress.print(where(settings), markup=False, highlight=False, style="dim", soft_wrap=True)
        yield Session(settings, progress, output, context.obj or _connect)


def _consoles() -> "tuple[Console, Console]":
    # Imported here: rich would double the time that `mlgates --help` takes.
    from rich.console import Console  # noqa: PLC0415

    speak_any_encoding()
    # Bound to the streams of now: while a job is followed, the SDK prints into others (job_log, sdk_output).
    progress, output = (Console(file=stream, emoji=False) for stream in (sys.stderr, sys.stdout))
    if not output.is_terminal:
        output.width = _PIPE_WIDTH
    return progress, output


def where(settings: Settings) -> str:
    """Return which workspace an environment is, in one line; a stand-in says so."""
    name = f"{settings.environment}: workspace {settings.aml_workspace_name}"
    match settings.target:
        case Target.LOCAL:
            return f"{name}, local"
        case Target.STAND_IN:
            file = settings.sources["AZURE_SUBSCRIPTION_ID"]
            return f"{name}, a local stand-in for Azure while AZURE_SUBSCRIPTION_ID is empty ({file})"
        case Target.AZURE:
            return f"{name} in resource group {settings.resource_group_name}, on Azure"


def speak_any_encoding() -> None:
    """Make the standard streams write what their encoding lacks in plain characters, anything else as an escape."""
    for stream in (sys.stdout, sys.stderr):
        # A stream that somebody has put in its place, and that is no such file, is theirs to take care of.
        if isinstance(stream, io.TextIOWrapper) and stream.errors != _HANDLER:
            stream.reconfigure(errors=_HANDLER)


@contextmanager
def _errors_in_one_line(console: "Console", *, debug: bool) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        console.print("interrupted; a job that was submitted goes on (mlgates show)", markup=False)
        raise typer.Exit(ExitCode.INTERRUPTED) from stop
    except MlgatesError as error:
        if debug:
            console.print_exception()
        console.print(f"error: {error}", markup=False, highlight=False, style="red", soft_wrap=True)
        raise typer.Exit(error.exit_code) from error


def _connect(settings: Settings) -> Any:
    # Imported here: azure-ai-ml takes seconds to import, and `mlgates config` does without.
    from mlgates.delivery.connection import connect  # noqa: PLC0415

    return connect(settings)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each) or _escaped(each) for each in lacking), error.end


def _escaped(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(_HANDLER, _plain)
