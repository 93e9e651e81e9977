"""How a command is declared: what it takes beyond the options that every command has, and its group in `--help`."""

import functools
import inspect
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperGroup

from mlgates.cli.session import OutputFormat, session
from mlgates.config.settings import LOCAL

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


Output = Annotated[OutputFormat, typer.Option("--output", "-o", help="text for people, json for programs.")]


class Group(StrEnum):
    """What belongs together in `mlgates --help`."""

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
