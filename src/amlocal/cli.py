"""The command line of amlocal."""

import io
import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from amlocal.core.errors import AmlocalError
from amlocal.settings import DEFAULT_GROUP, DEFAULT_ROOT, DEFAULT_SUBSCRIPTION, DEFAULT_WORKSPACE, LENIENT, Settings

if TYPE_CHECKING:  # importing it costs what --help should not
    from amlocal.core.context import Identity
    from amlocal.launcher import RunningServer


class _Commands(TyperGroup):
    """Turns an error that was foreseen, and one of the file system, into one line on standard error and exit code 1."""

    def invoke(self, ctx: Any) -> Any:  # a click.Context; typer has a copy of click that it does not show
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read the output has seen enough: click ends quietly
        except (AmlocalError, OSError) as error:
            if ctx.params["debug"]:
                raise
            sys.stderr.write(f"amlocal: {' '.join(str(error).split())}\n")
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Commands,
    name="amlocal",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich alone costs more time than all the rest of --help
)

Root = Annotated[Path, typer.Option(envvar="AMLOCAL_ROOT", help="The folder that holds the workspaces.")]
Workspace = Annotated[str, typer.Option(envvar="AMLOCAL_WORKSPACE", help="The workspace's name.")]
Group = Annotated[
    str | None,
    typer.Option(help="The resource group that a new workspace says it is in.", show_default=DEFAULT_GROUP),
]
Subscription = Annotated[
    str | None,
    typer.Option(help="The subscription that a new workspace says it is in.", show_default=DEFAULT_SUBSCRIPTION),
]
Port = Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes the last one again, or a free one.")]
Strict = Annotated[bool, typer.Option("--strict-environments", help="Fail jobs whose Python version is not installed.")]
Lenient = Annotated[
    bool,
    typer.Option("--lenient", envvar="AMLOCAL_LENIENT", help="Take some of what Azure refuses; see docs/amlocal.md."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _say(text: str) -> None:
    # Not by click's echo, which writes UTF-8 to a terminal that takes ASCII alone.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _speak_any_encoding() -> None:
    """Make the standard streams write what their encoding lacks as an escape: a path or a log may hold anything."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """A local Azure Machine Learning workspace that the unmodified azure-ai-ml SDK talks to."""


@app.command()
def up(
    root: Root = DEFAULT_ROOT,
    workspace: Workspace = DEFAULT_WORKSPACE,
    resource_group: Group = None,
    subscription: Subscription = None,
    port: Port = 0,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background.")] = False,
    strict_environments: Strict = False,
    lenient: Lenient = False,
    as_json: AsJson = False,
) -> None:
    """Start the workspace; with --detach in the background, and again does no harm."""
    settings = Settings(
        root=root,
        workspace=workspace,
        resource_group=resource_group,
        subscription=subscription,
        port=port,
        strict_environments=strict_environments,
        lenient=lenient,
    )
    if detach:
        from amlocal.launcher import start  # noqa: PLC0415

        running = start(settings)
        _say(json.dumps(_facts(running)) if as_json else _greeting(running.identity, running.origin, running.lenient))
        return
    from amlocal.server import configure_log  # noqa: PLC0415
    from amlocal.server import serve as serve_workspace  # noqa: PLC0415

    configure_log(None)
    serve_workspace(settings, lambda names, origin: _say(_greeting(names, origin, lenient)))


def _greeting(names: "Identity", origin: str, lenient: bool) -> str:
    return "\n".join(
        [
            f"Workspace {names.name} (resource group {names.resource_group}, subscription {names.subscription}) "
            f"is up at {origin}",
            *([f"It is {LENIENT}"] if lenient else []),
            f"Run a program against it:   amlocal exec --workspace {names.name} -- COMMAND",
            f'Or set this shell up:       eval "$(amlocal env --workspace {names.name})"',
        ]
    )


def _facts(running: "RunningServer") -> dict[str, object]:
    names = running.identity
    return {
        "workspace": names.name,
        "resource_group": names.resource_group,
        "subscription": names.subscription,
        "origin": running.origin,
        "pid": running.pid,
        "folder": str(running.folder.root),
        "lenient": running.lenient,
    }


@app.command(hidden=True)
def serve(
    settings: Annotated[str, typer.Option(help="The settings, as JSON; - for standard input.")],
    ready_fd: Annotated[int, typer.Option(help="Where to say that the server is ready, or why not.")],
) -> None:
    """Serve in the background (what `up --detach` starts)."""
    if os.fork():
        os._exit(0)  # the server goes on alone: whoever started it need not outlive it, nor bury it
    from amlocal.server import configure_log  # noqa: PLC0415
    from amlocal.server import serve as serve_workspace  # noqa: PLC0415

    chosen = Settings.from_json(sys.stdin.read() if settings == "-" else settings)
    with os.fdopen(ready_fd, "w", encoding="utf-8", errors="backslashreplace") as answer:
        try:
            configure_log(chosen.folder.log)
            serve_workspace(chosen, lambda _, origin: _answer(answer, f"ready {origin}"))
        except (AmlocalError, OSError) as error:
            _answer(answer, str(error))
            raise


def _answer(stream: TextIO, line: str) -> None:
    if not stream.closed:  # one line, the first
        stream.write(f"{line}\n")
        stream.close()


@app.command()
def down(
    root: Root = DEFAULT_ROOT,
    workspace: Workspace = DEFAULT_WORKSPACE,
    all_: Annotated[bool, typer.Option("--all", help="Every workspace of the folder.")] = False,
) -> None:
    """Stop the workspace; what it holds stays."""
    from amlocal.launcher import find, find_any, stop  # noqa: PLC0415

    found = list(find_any(root)) if all_ else [find(Settings(root=root, workspace=workspace).folder)]
    for running in filter(None, found):
        stop(running)
        _say(f"Workspace {running.folder.root.name} is down.")
    if not any(found):
        _say("Nothing to stop." if all_ else f"Workspace {workspace} is not up.")


@app.command()
def status(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """Show the workspaces of the folder and which of them are up."""
    from amlocal.launcher import find, folders  # noqa: PLC0415

    found = {folder.root.name: find(folder) for folder in folders(root)}
    if as_json:
        rows = [
            {
                "workspace": name,
                "up": running is not None,
                "origin": running.origin if running else None,
                "lenient": running.lenient if running else None,
            }
            for name, running in found.items()
        ]
        _say(json.dumps(rows))
        return
    for name, running in found.items():
        _say(f"{name}: {_state(running)}")
    if not found:
        _say(f"There is no workspace in {root}. Start one with 'amlocal up --detach'.")


def _state(running: "RunningServer | None") -> str:
    if running is None:
        return "down"
    return f"up at {running.origin} (process {running.pid}" + (", lenient)" if running.lenient else ")")


def _running(root: Path, workspace: str) -> "RunningServer":
    from amlocal.launcher import find  # noqa: PLC0415

    running = find(Settings(root=root, workspace=workspace).folder)
    if running is None:
        raise AmlocalError(
            f"Workspace {workspace} is not up in {root}. Start it with 'amlocal up --detach --workspace {workspace}'."
        )
    return running


@app.command()
def env(
    root: Root = DEFAULT_ROOT,
    workspace: Workspace = DEFAULT_WORKSPACE,
    format_: Annotated[str, typer.Option("--format", help="shell or json.")] = "shell",
) -> None:
    """Print the environment variables that lead azure-ai-ml here: eval "$(amlocal env)"."""
    variables = _running(root, workspace).environ()
    if format_ == "json":
        _say(json.dumps(variables))
    elif format_ == "shell":
        script = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        # A path's own bytes, whatever the terminal's encoding: a shell evaluates this.
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(script))
        sys.stdout.buffer.flush()
    else:
        raise AmlocalError(f"The format is shell or json, not {format_!r}.")


@app.command("exec", context_settings={"ignore_unknown_options": True})
def execute(
    command: Annotated[list[str], typer.Argument(help="The command, after --.")],
    root: Root = DEFAULT_ROOT,
    workspace: Workspace = DEFAULT_WORKSPACE,
    lenient: Lenient = False,
) -> None:
    """Run a command against the workspace, which is started when it is not up."""
    from amlocal.launcher import start  # noqa: PLC0415

    program = shutil.which(command[0])
    if program is None:
        raise AmlocalError(f"There is no command {command[0]!r}.")
    running = start(Settings(root=root, workspace=workspace, lenient=lenient))
    if running.lenient:
        typer.echo(f"amlocal: workspace {workspace} is {LENIENT}", err=True)
    os.execve(program, command, {**os.environ, **running.environ()})  # noqa: S606 - what the user asked for


@app.command()
def logs(
    job: Annotated[str | None, typer.Argument(help="A job's name; without it, the server's own log.")] = None,
    root: Root = DEFAULT_ROOT,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Print the server's log, or a job's."""
    folder = Settings(root=root, workspace=workspace).folder
    if job is None:
        if not folder.log.exists():
            raise AmlocalError(f"Workspace {workspace} has no log in {root}.")
        sys.stdout.write(folder.log.read_text(encoding="utf-8", errors="replace"))
        return
    from amlocal.offline_logs import job_log  # noqa: PLC0415

    sys.stdout.write(job_log(folder, job))


@app.command()
def reset(
    root: Root = DEFAULT_ROOT,
    workspace: Workspace = DEFAULT_WORKSPACE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Stop the workspace and remove all that it holds."""
    from amlocal.launcher import find, stop  # noqa: PLC0415

    folder = Settings(root=root, workspace=workspace).folder
    if not folder.identity.exists():
        raise AmlocalError(f"There is no workspace {workspace} in {root}.")
    question = f"Remove workspace {workspace} in {root} with all its assets, jobs and models?"
    if not yes and not typer.confirm(
        question.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding)
    ):
        raise AmlocalError("Nothing was removed.")
    if running := find(folder):
        stop(running)
    shutil.rmtree(folder.root)
    _say(f"Workspace {workspace} is gone.")


def main() -> None:
    """Run the command line."""
    _speak_any_encoding()
    app()
