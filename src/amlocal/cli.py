"""The command line of amlocal."""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from amlocal.core.errors import AmlocalError
from amlocal.settings import DEFAULT_GROUP, DEFAULT_ROOT, DEFAULT_SUBSCRIPTION, DEFAULT_WORKSPACE, Settings

if TYPE_CHECKING:  # importing it costs what --help should not
    from amlocal.launcher import Running

app = typer.Typer(
    name="amlocal",
    help="A local Azure Machine Learning workspace that the unmodified azure-ai-ml SDK talks to.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich alone costs more time than all the rest of --help
)

Root = Annotated[Path, typer.Option(envvar="AMLOCAL_ROOT", help="The folder that holds the workspaces.")]
Workspace = Annotated[str, typer.Option(envvar="AMLOCAL_WORKSPACE", help="The workspace's name.")]
Group = Annotated[str, typer.Option(help="The resource group that the workspace says it is in.")]
Subscription = Annotated[str, typer.Option(help="The subscription that the workspace says it is in.")]
Port = Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes the last one again, or a free one.")]
Strict = Annotated[bool, typer.Option("--strict-environments", help="Fail jobs whose Python version is not installed.")]
Lenient = Annotated[
    bool, typer.Option("--lenient-tracking", help="Serve MLflow calls that Azure's tracking server refuses.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _say(text: str) -> None:
    typer.echo(text)


def _chosen(root: Path, workspace: str) -> Settings:
    from amlocal.launcher import stored_settings  # noqa: PLC0415 - keeps --help quick

    return stored_settings(Settings(root=root, workspace=workspace))


@app.command()
def up(
    root: Root = DEFAULT_ROOT,
    workspace: Workspace = DEFAULT_WORKSPACE,
    resource_group: Group = DEFAULT_GROUP,
    subscription: Subscription = DEFAULT_SUBSCRIPTION,
    port: Port = 0,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background.")] = False,
    strict_environments: Strict = False,
    lenient_tracking: Lenient = False,
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
        refuse_like_azure=not lenient_tracking,
    )
    if detach:
        from amlocal.launcher import start  # noqa: PLC0415

        _report(start(settings), as_json=as_json)
        return
    from amlocal.server import configure_log, serve  # noqa: PLC0415

    configure_log(None)
    serve(settings, lambda origin: _say(_greeting(settings, origin)))


def _greeting(settings: Settings, origin: str) -> str:
    relaxed = [] if settings.refuse_like_azure else ["MLflow calls that Azure refuses are served here: relaxed."]
    return "\n".join(
        [
            f"Workspace {settings.workspace} (resource group {settings.resource_group}, subscription "
            f"{settings.subscription}) is up at {origin}",
            *relaxed,
            f"Run a program against it:   amlocal exec --workspace {settings.workspace} -- COMMAND",
            f'Or set this shell up:       eval "$(amlocal env --workspace {settings.workspace})"',
        ]
    )


def _report(running: "Running", *, as_json: bool) -> None:
    settings, identity = running.settings, running.identity
    if as_json:
        facts = {
            "workspace": identity.name,
            "resource_group": identity.resource_group,
            "subscription": identity.subscription,
            "origin": running.origin,
            "pid": running.pid,
            "folder": str(settings.folder.root),
        }
        _say(json.dumps(facts))
    else:
        _say(_greeting(settings, running.origin))


@app.command(hidden=True)
def serve(
    settings: Annotated[str, typer.Option(help="The settings, as JSON.")],
    ready_fd: Annotated[int, typer.Option(help="Where to say that the server is ready, or why not.")],
) -> None:
    """Serve in the background (what `up --detach` starts)."""
    from amlocal.server import configure_log  # noqa: PLC0415
    from amlocal.server import serve as serve_workspace  # noqa: PLC0415

    chosen = Settings.from_json(settings)
    configure_log(chosen.folder.log)
    with os.fdopen(ready_fd, "w") as answer:
        try:
            serve_workspace(chosen, lambda origin: _answer(answer, f"ready {origin}"))
        except AmlocalError as error:
            _answer(answer, str(error))
            raise


def _answer(stream: TextIO, line: str) -> None:
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

    found = list(find_any(root)) if all_ else [running for running in [find(_chosen(root, workspace))] if running]
    for running in found:
        stop(running)
        _say(f"Workspace {running.identity.name} is down.")
    if not found:
        _say("Nothing to stop." if all_ else f"Workspace {workspace} is not up.")


@app.command()
def status(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """Show the workspaces of the folder and which of them are up."""
    from amlocal.launcher import find_any  # noqa: PLC0415

    up_now = {running.identity.name: running for running in find_any(root)}
    names = sorted(path.parent.name for path in root.glob("*/identity.json"))
    if as_json:
        rows = [
            {"workspace": name, "up": name in up_now, "origin": up_now[name].origin if name in up_now else None}
            for name in names
        ]
        _say(json.dumps(rows))
        return
    for name in names:
        running = up_now.get(name)
        _say(f"{name}: " + (f"up at {running.origin} (process {running.pid})" if running else "down"))
    if not names:
        _say(f"There is no workspace in {root}. Start one with 'amlocal up --detach'.")


def _running(root: Path, workspace: str) -> "Running":
    from amlocal.launcher import find  # noqa: PLC0415

    running = find(_chosen(root, workspace))
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
        _say("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
    else:
        raise AmlocalError(f"The format is shell or json, not {format_!r}.")


@app.command("exec", context_settings={"ignore_unknown_options": True})
def execute(
    command: Annotated[list[str], typer.Argument(help="The command, after --.")],
    root: Root = DEFAULT_ROOT,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Run a command against the workspace, which is started when it is not up."""
    from amlocal.launcher import start  # noqa: PLC0415

    program = shutil.which(command[0])
    if program is None:
        raise AmlocalError(f"There is no command {command[0]!r}.")
    running = start(_chosen(root, workspace))
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
        sys.stdout.write(folder.log.read_text(errors="replace"))
        return
    from amlocal.reading import job_log  # noqa: PLC0415

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
    if not yes and not typer.confirm(f"Remove workspace {workspace} in {root} with all its assets, jobs and models?"):
        raise AmlocalError("Nothing was removed.")
    if running := find(_chosen(root, workspace)):
        stop(running)
    shutil.rmtree(folder.root)
    _say(f"Workspace {workspace} is gone.")


def main() -> None:
    """Run the command line; an error that was foreseen is one line on standard error and exit code 1."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv[1:]) and "--" not in sys.argv[1 : sys.argv.index("--debug")]
    try:
        app(arguments if debug else sys.argv[1:])
    except AmlocalError as error:
        if debug:
            raise
        typer.echo(f"amlocal: {error}", err=True)
        sys.exit(1)
