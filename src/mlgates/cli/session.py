"""What every command shares: its options, its settings, its two outputs, and one line for an error."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlgates.cli.terminal import speak_any_encoding
from mlgates.config.load import load_settings
from mlgates.config.project import find_project
from mlgates.config.settings import LOCAL, Settings, Target
from mlgates.core.deployments import Kind
from mlgates.core.errors import MlgatesError

if TYPE_CHECKING:
    from rich.console import Console

Env = Annotated[str, typer.Option("--env", help="Environment: the X of a file mlops/config-infra-X.yml.")]
ProjectFolder = Annotated[
    Path | None, typer.Option("--project", help="The project's folder. Default: the nearest with mlops/.")
]
RequireAzure = Annotated[
    bool, typer.Option("--require-azure", help="Refuse an environment that is only a local stand-in.")
]
Only = Annotated[Kind | None, typer.Option("--only", help="One endpoint. Default: both, side by side.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

INTERRUPTED = 130  # 128 + SIGINT, as shells count


@dataclass(frozen=True, slots=True)
class Options:
    """The options that every command has."""

    env: str = LOCAL
    project: Path | None = None
    require_azure: bool = False
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work."""

    settings: Settings
    progress: "Console"
    """For people, on standard error: standard output carries results only."""
    output: "Console"
    connector: Callable[[Settings], Any]

    def connect(self) -> Any:
        """Return a client of the workspace; raise `WorkspaceUnavailable` when there is none."""
        return self.connector(self.settings)

    def say(self, line: str) -> None:
        """Print one line of the result, as it stands."""
        self.output.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def session(context: typer.Context, options: Options) -> Iterator[Session]:
    """Load the settings, say which workspace is meant, and turn an `MlgatesError` into its line and exit code."""
    # Imported here: rich would double the time that `mlgates --help` takes.
    from rich.console import Console  # noqa: PLC0415

    speak_any_encoding()
    # Bound to the streams of now: while a job is followed, the SDK prints into others (log_stream, quiet).
    progress, output = Console(file=sys.stderr), Console(file=sys.stdout)
    with _told(progress, debug=options.debug):
        project = find_project((options.project or Path.cwd()).absolute())
        settings = load_settings(project, options.env, environ=os.environ, require_azure=options.require_azure)
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


@contextmanager
def _told(console: "Console", *, debug: bool) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        console.print("interrupted; a job that was submitted goes on (mlgates show)", markup=False)
        raise typer.Exit(INTERRUPTED) from stop
    except MlgatesError as error:
        if debug:
            console.print_exception()
        console.print(f"error: {error}", markup=False, highlight=False, style="red", soft_wrap=True)
        raise typer.Exit(error.exit_code) from error


def _connect(settings: Settings) -> Any:
    # Imported here: azure-ai-ml takes seconds to import, and `mlgates config` does without.
    from mlgates.delivery.connect import connect  # noqa: PLC0415

    return connect(settings)
