"""The commands of mlgates: what can be asked, and how it is spelled."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlgates.cli import scaffolding
from mlgates.cli.command import Commands, Group, Output, OutputFormat, Session, command, speak_any_encoding
from mlgates.core.checkout import source_state
from mlgates.core.ledger import Action, Draft
from mlgates.core.values import EndpointKind

Estimator = Annotated[str | None, typer.Option(help="The training job's input of this name.")]
Seed = Annotated[int | None, typer.Option(help="The training job's input of this name.")]
Version = Annotated[str | None, typer.Option(help="A version of the model. Default: the newest.")]
Only = Annotated[EndpointKind | None, typer.Option("--only", help="One endpoint. Default: both, side by side.")]
Model = Annotated[str, typer.Argument(help="A version of the model, NAME:VERSION.", metavar="MODEL:VERSION")]
By = Annotated[str, typer.Option("--by", help="Who decides.")]
DoneBy = Annotated[str, typer.Option("--by", help="Who asked for it. Default: who runs it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
Record = Annotated[str | None, typer.Option(help="The gate record that is decided on. Default: the newest.")]

app = typer.Typer(
    cls=Commands,
    help="Take machine-learning code to production on Azure Machine Learning, through tested gates.",
    no_args_is_help=True,
    # Plain help and tracebacks: rich's take longer to import than the rest of this module.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

scaffolding.register(app)

# What a command does is imported inside it, once connected: it brings in azure-ai-ml, which takes seconds to import
# and reads the environment variables that connecting sets.


@command(app, Group.TRAIN)
def train(
    work: Session,
    estimator: Estimator = None,
    seed: Seed = None,
    data: Annotated[Path | None, typer.Option(help="A file to train on instead of the declared one.")] = None,
    build: Annotated[Path | None, typer.Option("--build", help="Train from an archive of 'mlgates build'.")] = None,
    register: Annotated[bool, typer.Option("--register", help="Register the model too.")] = False,
) -> None:
    """Register environment and data, run the training job and follow it to its end."""
    client = work.connect()
    from mlgates.cli import training_commands  # noqa: PLC0415

    inputs = {"estimator": estimator, "seed": seed}
    training_commands.train(work, client, inputs, data_file=data, build=build, register=register)


@command(app, Group.TRAIN)
def register(
    work: Session,
    job: Annotated[str | None, typer.Option(help="A training job. Default: the newest completed one.")] = None,
) -> None:
    """Register the model of a completed training job, with its lineage."""
    client = work.connect()
    from mlgates.cli import training_commands  # noqa: PLC0415

    training_commands.register(work, client, job)


@command(app, Group.TRAIN)
def build(
    work: Session, output: Annotated[Path, typer.Option(help="The folder that the archive goes to.")] = Path("dist")
) -> None:
    """Pack sources, declarations, suites and lock into one archive, with the sha256 of each file."""
    from mlgates.build.archive import write_checksum  # noqa: PLC0415
    from mlgates.build.packing import make  # noqa: PLC0415

    project = work.settings.project
    made = make(project, source_state(project.root, os.environ), output)
    write_checksum(made)
    work.say(made.summary)
    work.say(f"build  {made.file}")
    work.say(f"sha256 {made.sha256}")


class Pipeline(StrEnum):
    """The pipelines."""

    DEV = "dev"
    PROD = "prod"


@command(app, Group.TRAIN, env_from="name")
def pipeline(
    work: Session,
    name: Annotated[Pipeline, typer.Argument(help="Which one; its environment is the one of this name.")],
    build: Annotated[Path | None, typer.Option(help="prod: the archive. Default: the newest in dist/.")] = None,
    estimator: Estimator = None,
    seed: Seed = None,
    force_retrain: Annotated[
        bool, typer.Option("--force-retrain", "--anew", help="Train although the same was trained before.")
    ] = False,
    until: Annotated[str | None, typer.Option(help="The stage to end with.")] = None,
    approved_by: Annotated[
        str, typer.Option(help="prod: who has approved; ci, ci:ENVIRONMENT: ask the CI system.")
    ] = "",
    reason: Annotated[str, typer.Option(help="prod: why.")] = "",
    no_canary: Annotated[bool, typer.Option("--no-canary", help="prod: all traffic in one step.")] = False,
) -> None:
    """Run the stages of dev (to its gate) or prod (to released traffic); run again, it goes on where it stood."""
    client = work.connect()
    from mlgates.cli import pipeline_command  # noqa: PLC0415

    inputs = {"estimator": estimator, "seed": seed}
    asked = pipeline_command.request(
        inputs, force_retrain=force_retrain, until=until, approver=approved_by, reason=reason, canary=not no_canary
    )
    pipeline_command.pipeline(work, client, name, asked, build)


@command(app, Group.SERVE)
def deploy(
    work: Session,
    version: Version = None,
    only: Only = None,
    test: Annotated[bool, typer.Option("--test", help="Run the smoke test of each endpoint once it is up.")] = False,
) -> None:
    """Deploy one model version to the batch and the online endpoint, side by side."""
    client = work.connect()
    from mlgates.cli import endpoint_commands  # noqa: PLC0415

    endpoint_commands.deploy(work, client, only, version=version, smoke_test=test)


@command(app, Group.SERVE, "test")
def smoke_test_endpoints(work: Session, only: Only = None, output: Output = OutputFormat.TEXT) -> None:
    """Run the smoke tests of both endpoints: a sample request, and a batch job whose rows are counted."""
    client = work.connect()
    from mlgates.cli import endpoint_commands  # noqa: PLC0415

    endpoint_commands.smoke_test_endpoints(work.printing(output), client, only)


@command(app, Group.SERVE)
def invoke(
    work: Session,
    kind: Annotated[EndpointKind, typer.Argument(help="Which endpoint.")],
    path: Annotated[Path, typer.Argument(help="online: a request in JSON; batch: a file or folder to score.")],
    output: Annotated[Path, typer.Option(help="batch: where the predictions go.")] = Path("outputs"),
    deployment: Annotated[str | None, typer.Option(help="online: this one, whatever the traffic.")] = None,
) -> None:
    """Ask an endpoint: print the answer, or download the predictions."""
    client = work.connect()
    from mlgates.cli import endpoint_commands  # noqa: PLC0415

    if kind is EndpointKind.ONLINE:
        endpoint_commands.invoke_online(work, client, path, deployment)
    else:
        endpoint_commands.invoke_batch(work, client, path, output)


@command(app, Group.SERVE)
def logs(
    work: Session,
    kind: Annotated[EndpointKind, typer.Argument(help="online: of the deployment; batch: of the newest scoring job.")],
    lines: Annotated[int, typer.Option(min=1, help="How many, from the end.")] = 50,
    deployment: Annotated[str | None, typer.Option(help="online: of this one. Default: the busiest.")] = None,
) -> None:
    """Print what serves a model has logged."""
    client = work.connect()
    from mlgates.cli import endpoint_commands  # noqa: PLC0415

    endpoint_commands.logs(work, client, kind, lines=lines, deployment=deployment)


@command(app, Group.SERVE)
def key(work: Session) -> None:
    """Print the key (or a token) of the online endpoint, and nothing else on standard output."""
    client = work.connect()
    from mlgates.cli import endpoint_commands  # noqa: PLC0415

    endpoint_commands.key(work, client)


@command(app, Group.SERVE)
def destroy(
    work: Session, only: Only = None, yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False
) -> None:
    """Delete the endpoints with their deployments; models, data and jobs stay. Asks first."""
    client = work.connect()
    from mlgates.cli import endpoint_commands  # noqa: PLC0415

    endpoint_commands.destroy(work, client, only, sure=yes)


@command(app, Group.GATE)
def contract(
    work: Session,
    model: Annotated[str | None, typer.Option(help="A model's folder or version. Default: the newest version.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print request and answer as JSON Schema.")] = False,
    openapi: Annotated[bool, typer.Option("--openapi", help="Print the scoring endpoint as OpenAPI 3.1.")] = False,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="CHAMPION CANDIDATE", help="Tell whether the second of two models breaks callers."),
    ] = None,
) -> None:
    """Show what a model promises to its callers, or what a candidate would change for them."""
    from mlgates.cli import contract_command  # noqa: PLC0415

    if compare:
        contract_command.compare(work, *compare)
    else:
        contract_command.show(work, model, schema=schema, as_openapi=openapi)


@command(app, Group.GATE)
def gate(
    work: Session,
    name: Annotated[str, typer.Argument(help="qa, dev or prod, as mlops/gates.yml declares it.")],
    version: Version = None,
    output: Output = OutputFormat.TEXT,
) -> None:
    """Hold a model version, or a commit, against what a gate declares; all checks run."""
    from mlgates.cli import gate_commands  # noqa: PLC0415

    gate_commands.gate(work.printing(output), name, version)


@command(app, Group.GATE)
def report(
    work: Session,
    gate: Annotated[str | None, typer.Option(help="Of this gate. Default: what was written last.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Of this pipeline. Default: what was written last.")] = None,
    opened: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Render the newest report of a gate or a pipeline as HTML, and say where it is."""
    from mlgates.cli import gate_commands  # noqa: PLC0415

    gate_commands.report(work, gate, pipeline, opened=opened)


@command(app, Group.RELEASE)
def approve(work: Session, model: Model, by: By, reason: Reason, gate_record: Record = None) -> None:
    """Approve a model version that passed the prod gate: exactly the files that it has now."""
    _decide(work, model, Action.APPROVED, by, reason, gate_record)


@command(app, Group.RELEASE)
def reject(work: Session, model: Model, by: By, reason: Reason, gate_record: Record = None) -> None:
    """Reject a model version: it cannot be released any more, nor approved."""
    _decide(work, model, Action.REJECTED, by, reason, gate_record)


def _decide(work: Session, model: str, action: Action, by: str, reason: str, gate_record: str | None) -> None:
    client = work.connect()
    from mlgates.cli import release_commands  # noqa: PLC0415

    decision = Draft(action=action, by=by, model=model, reason=reason, gate_record=gate_record or "")
    release_commands.decide(work, client, decision)


@command(app, Group.RELEASE)
def release(
    work: Session,
    version: Version = None,
    canary: Annotated[bool, typer.Option("--canary/--no-canary", help="Step by step, or in one step.")] = True,
    by: DoneBy = "",
) -> None:
    """Release an approved version: beside the one that serves, then step by step into its traffic, or back."""
    client = work.connect()
    from mlgates.cli import release_commands  # noqa: PLC0415

    release_commands.release(work, client, version, canary=canary, by=by)


@command(app, Group.RELEASE)
def rollback(work: Session, by: DoneBy = "", reason: Reason = "") -> None:
    """Return to the version that served before, without training."""
    client = work.connect()
    from mlgates.cli import release_commands  # noqa: PLC0415

    release_commands.rollback(work, client, by=by, reason=reason)


@command(app, Group.RELEASE)
def history(
    work: Session,
    model: Annotated[str | None, typer.Option(help="Of this version only.", metavar="VERSION")] = None,
    output: Output = OutputFormat.TEXT,
) -> None:
    """List approvals, rejections, releases, rollbacks and locks, and say when the record is not whole."""
    client = work.connect()
    from mlgates.cli import release_commands  # noqa: PLC0415

    release_commands.history(work.printing(output), client, model)


class LedgerAction(StrEnum):
    """What is done to a ledger by hand."""

    VERIFY = "verify"
    REPAIR = "repair"


@command(app, Group.RELEASE)
def ledger(
    work: Session,
    action: Annotated[LedgerAction, typer.Argument(help="Compare it with its anchors, or go on from what is left.")],
    by: Annotated[str, typer.Option("--by", help="Who repairs it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why it is repaired; it is kept.")] = "",
) -> None:
    """Say whether the record of decisions is whole, or repair it: that is an entry, and approvals are given again."""
    client = work.connect()
    from mlgates.cli import release_commands  # noqa: PLC0415

    if action is LedgerAction.VERIFY:
        release_commands.verify_ledger(work, client)
    else:
        release_commands.repair_ledger(work, client, by=by, reason=reason)


@command(app, Group.RELEASE)
def unlock(work: Session, by: By, reason: Reason = "broken by hand") -> None:
    """Break the lock that a dead release has left on the endpoint."""
    client = work.connect()
    from mlgates.cli import release_commands  # noqa: PLC0415

    release_commands.unlock(work, client, by=by, reason=reason)


@command(app, Group.RELEASE)
def tidy(work: Session) -> None:
    """Take away deployments that have had no traffic for as long as mlops/release.yml keeps them."""
    client = work.connect()
    from mlgates.cli import release_commands  # noqa: PLC0415

    release_commands.tidy(work, client)


@command(app, Group.PROJECT)
def show(
    work: Session,
    newest: Annotated[int, typer.Option(min=1, help="How many of each kind.")] = 5,
    output: Output = OutputFormat.TEXT,
) -> None:
    """Show what the workspace has: environments, data, jobs, models with their lineage."""
    client = work.connect()
    from mlgates.cli import training_commands  # noqa: PLC0415

    training_commands.show(work.printing(output), client, newest=newest)


@command(app, Group.PROJECT)
def config(work: Session, output: Output = OutputFormat.TEXT) -> None:
    """Show every setting with its source: file, or environment variable."""
    shown = work.settings.shown()
    facts = {name: {"value": value, "source": source} for name, (value, source) in shown.items()}
    lines = "\n".join(f"{name} = {value}  ({source})" for name, (value, source) in shown.items())
    work.printing(output).facts(facts, lines)


def main() -> None:
    """Run the command line."""
    speak_any_encoding()
    app()
