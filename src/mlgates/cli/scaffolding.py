"""`mlgates init` makes a project from a table, `update` renews its template, `suite` drafts; none needs settings."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlgates.cli.command import Group, plain_session
from mlgates.core.errors import ConfigurationError
from mlgates.core.nearest import did_you_mean
from mlgates.scaffold.choices import CI, ENDPOINTS, Task

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init", rich_help_panel=str(Group.START))(init)
    app.command("update", rich_help_panel=str(Group.START))(update)
    app.command("suite", rich_help_panel=str(Group.START))(suite)


def init(
    data: Annotated[Path | None, typer.Argument(help="A table: CSV, Parquet or JSON lines.")] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    task: Annotated[Task | None, typer.Option(help="Default: what the values of the target suggest.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the project. Default: that of the file.")] = None,
    into: Annotated[Path | None, typer.Option(help="The new folder. Default: the project's name, here.")] = None,
    ci: Annotated[str | None, typer.Option(help=f"{', '.join(CI)}. Default: github.")] = None,
    endpoints: Annotated[str, typer.Option(help="Which endpoints serve the model.")] = ENDPOINTS,
    vendor: Annotated[bool, typer.Option("--vendor", help="Put the wheels of mlgates beside the project.")] = False,
    debug: Debug = False,
) -> None:
    """Make a repository from a table: training code, tests, gates, pipelines; asks on a terminal what is not given."""
    with plain_session(debug=debug) as session:
        # Imported here, as all that does something: pandas and Copier take seconds.
        from mlgates.scaffold.making import Wishes, check_place, make, read_table  # noqa: PLC0415

        if endpoints != ENDPOINTS:
            raise ConfigurationError(f"--endpoints: only {ENDPOINTS} so far, not {endpoints!r}")
        if ci is not None:
            _check_choice("--ci", ci, CI)
        file = data or Path(_asked("A table (CSV, Parquet or JSON lines)", "DATA"))
        table = read_table(file)
        chosen = target or _asked_of(
            "Which column is to be predicted?", "--target", [each.name for each in table.columns]
        )
        called = name or _asked("The project's name", "--name", default=file.name.partition(".")[0])
        systems = ci or _asked_of("Which CI system?", "--ci", CI, default="github")
        wishes = Wishes(target=chosen, task=task, name=called, into=into or Path(called), ci=systems, vendor=vendor)
        check_place(wishes.into)
        made = make(table, wishes, say=session.tell)
        session.say(f"made {made}: a git repository, its first commit is what was drafted; now")
        session.say(f"  cd {made}")
        session.say("  python -m pip install nox uv && python -m nox -s promote")


def update(
    project: Annotated[
        Path | None, typer.Option(help="The project's folder. Default: the nearest with mlops/.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Bring a project to the template of this mlgates: what was edited is kept, by a merge of git."""
    with plain_session(debug=debug) as session:
        from mlgates.config.project import find_project  # noqa: PLC0415
        from mlgates.scaffold.updating import update as renew  # noqa: PLC0415

        root = find_project((project or Path.cwd()).absolute()).root
        session.say(renew(root) or f"{root} has the newest template already")


class SuiteAction(StrEnum):
    """What is done with an expectation suite."""

    DRAFT = "draft"


def suite(
    action: Annotated[SuiteAction, typer.Argument(help="Draft one from a table.")],  # noqa: ARG001 - there is one so far
    data: Annotated[Path, typer.Argument(help="A table: CSV, Parquet or JSON lines.")],
    label: Annotated[str, typer.Option(help="The column that is predicted.")],
    task: Annotated[Task | None, typer.Option(help="Default: what the values of the label suggest.")] = None,
    into: Annotated[Path | None, typer.Option(help="The file to write. Default: standard output.")] = None,
    debug: Debug = False,
) -> None:
    """Draft an expectation suite from a table, each expectation with what led to it, for you to edit."""
    with plain_session(debug=debug) as session:
        from mlgates.core.files import write_whole  # noqa: PLC0415
        from mlgates.scaffold.drafted_relations import draft_whole_suite, hints  # noqa: PLC0415
        from mlgates.scaffold.making import read_table  # noqa: PLC0415
        from mlgates.scaffold.target import find_target, read_target  # noqa: PLC0415

        if into is not None and into.exists():
            raise ConfigurationError(f"{into} is there already: name another file with --into")
        table = read_table(data)
        target = read_target(find_target(table.columns, label, option="--label"), task)
        drafted = draft_whole_suite(table.columns, target, table.rows)
        for hint in hints(table.columns, target, table.rows):
            session.tell(hint)
        if into is None:
            sys.stdout.write(drafted)
            return
        into.parent.mkdir(parents=True, exist_ok=True)
        write_whole(into, drafted)
        session.say(f"drafted {into} from {table.rows} rows: read it, and correct what the data cannot know")


def _terminal() -> bool:
    return sys.stdin.isatty()


def _asked(question: str, option: str, *, default: str | None = None) -> str:
    """Return what a person answers; without a terminal the default."""
    if _terminal():
        return str(typer.prompt(question, default=default))
    if default is None:
        raise ConfigurationError(f"{option} is wanted: there is no terminal to ask on")
    return default


def _asked_of(question: str, option: str, choices: Iterable[str], *, default: str | None = None) -> str:
    known = list(choices)
    shown = f"{question} ({', '.join(known[:30])}{', ...' if len(known) > 30 else ''})"
    while True:
        answer = _asked(shown, option, default=default)
        if answer in known or not _terminal():
            return answer
        typer.echo(f"'{answer}' is none of them. {did_you_mean(answer, known)}", err=True)


def _check_choice(option: str, given: str, choices: Iterable[str]) -> None:
    if given not in choices:
        raise ConfigurationError(f"{option}: there is no '{given}'. {did_you_mean(given, choices)}")
