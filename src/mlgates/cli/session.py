"""What every command shares: its options, its settings, its two outputs in any encoding, and one line for an error."""

import codecs
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mlgates.config.load import load_settings
from mlgates.config.project import find_project
from mlgates.config.settings import Settings, Target
from mlgates.core.errors import ExitCode, MlgatesError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PIPE_WIDTH = 1000
"""Columns of what is no terminal: a table in a pipe keeps its words whole, for `grep` and `cut`."""
# In one character each, so that columns stay columns.
_PLAIN = {"✓": "+", "✗": "x", "▶": ">", "…": "~", "—": "-", "→": ">", "·": "."}
_HANDLER = "mlgates.plain"


class OutputFormat(StrEnum):
    """How facts are printed."""

    TEXT = "text"
    JSON = "json"


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


@contextmanager
def session(
    context: typer.Context, *, env: str, project: Path | None, require_azure: bool, debug: bool
) -> Iterator[Session]:
    """Load the settings, say which workspace is meant, and turn an `MlgatesError` into its line and exit code."""
    # Imported here: rich would double the time that `mlgates --help` takes.
    from rich.console import Console  # noqa: PLC0415

    speak_any_encoding()
    # Bound to the streams of now: while a job is followed, the SDK prints into others (job_log, sdk_output).
    progress, output = (Console(file=stream, emoji=False) for stream in (sys.stderr, sys.stdout))
    if not output.is_terminal:
        output.width = _PIPE_WIDTH
    with _errors_in_one_line(progress, debug=debug):
        home = find_project((project or Path.cwd()).absolute())
        settings = load_settings(home, env, environ=os.environ, require_azure=require_azure)
        progress.print(where(settings), markup=False, highlight=False, style="dim", soft_wrap=True)
        yield Session(settings, progress, output, context.obj or _connect)


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
