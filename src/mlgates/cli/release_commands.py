"""The commands of the way to production, as they are spelled."""

from enum import StrEnum
from typing import Annotated

import typer

from mlgates.cli.session import Debug, Env, Options, ProjectFolder, RequireAzure, session
from mlgates.config.settings import LOCAL
from mlgates.core.ledger import Action

commands = typer.Typer()

Model = Annotated[str, typer.Argument(help="A version of the model, NAME:VERSION.", metavar="MODEL:VERSION")]
By = Annotated[str, typer.Option("--by", help="Who decides.")]
DoneBy = Annotated[str, typer.Option("--by", help="Who asked for it. Default: who runs it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
Record = Annotated[str | None, typer.Option(help="The gate record that is decided on. Default: the newest.")]

# As in `app`, whatever brings in azure-ai-ml is imported once connected.


@commands.command()
def approve(
    context: typer.Context,
    model: Model,
    by: By,
    reason: Reason,
    env: Env = LOCAL,
    gate_record: Record = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Approve a model version that passed the prod gate: exactly the files that it has now."""
    _decide(context, Options(env, project, require_azure, debug), model, Action.APPROVED, (by, reason, gate_record))


@commands.command()
def reject(
    context: typer.Context,
    model: Model,
    by: By,
    reason: Reason,
    env: Env = LOCAL,
    gate_record: Record = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Reject a model version: it cannot be released any more, nor approved."""
    _decide(context, Options(env, project, require_azure, debug), model, Action.REJECTED, (by, reason, gate_record))


def _decide(
    context: typer.Context, options: Options, model: str, action: Action, given: tuple[str, str, str | None]
) -> None:
    by, reason, gate_record = given
    with session(context, options) as at_work:
        client = at_work.connect()
        from mlgates.cli import releasing  # noqa: PLC0415

        releasing.decide(at_work, client, model, action, by=by, reason=reason, gate_record=gate_record)


@commands.command()
def history(
    context: typer.Context,
    env: Env = LOCAL,
    model: Annotated[str | None, typer.Option(help="Of this version only.", metavar="VERSION")] = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """List approvals, rejections, releases, rollbacks and locks, and tell when the record is not whole."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import releasing  # noqa: PLC0415

        releasing.history(at_work, client, model)


@commands.command()
def release(
    context: typer.Context,
    env: Env = LOCAL,
    version: Annotated[str | None, typer.Option(help="A version of the model. Default: the newest.")] = None,
    canary: Annotated[bool, typer.Option("--canary/--no-canary", help="Step by step, or in one step.")] = True,
    by: DoneBy = "",
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Release an approved version: beside the one that serves, then step by step into its traffic, or back."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import releasing  # noqa: PLC0415

        releasing.release(at_work, client, version, canary=canary, by=by)


@commands.command()
def rollback(
    context: typer.Context,
    env: Env = LOCAL,
    by: DoneBy = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")] = "",
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Return to the version that served before, without training."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import releasing  # noqa: PLC0415

        releasing.rollback(at_work, client, by=by, reason=reason)


@commands.command()
def unlock(
    context: typer.Context,
    by: By,
    env: Env = LOCAL,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")] = "broken by hand",
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Break the lock that a dead release has left on the endpoint."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import releasing  # noqa: PLC0415

        releasing.unlock(at_work, client, by=by, reason=reason)


@commands.command()
def tidy(
    context: typer.Context,
    env: Env = LOCAL,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Take away deployments that have had no traffic for as long as mlops/release.yml keeps them."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import releasing  # noqa: PLC0415

        releasing.tidy(at_work, client)


class LedgerAction(StrEnum):
    """What is done to a ledger by hand."""

    VERIFY = "verify"
    REPAIR = "repair"


@commands.command()
def ledger(
    context: typer.Context,
    action: Annotated[LedgerAction, typer.Argument(help="Compare it with its anchors, or go on from what is left.")],
    env: Env = LOCAL,
    by: Annotated[str, typer.Option("--by", help="Who repairs it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why it is repaired; it is kept.")] = "",
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Say whether the record of decisions is whole, or repair it: that is an entry, and approvals are given again."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import releasing  # noqa: PLC0415

        if action is LedgerAction.VERIFY:
            releasing.verify_ledger(at_work, client)
        else:
            releasing.repair_ledger(at_work, client, by=by, reason=reason)
