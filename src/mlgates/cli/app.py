"""The commands of mlgates: what can be asked, and how it is spelled."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlgates.cli.release_commands import commands as release_commands
from mlgates.cli.session import Debug, Env, Only, Options, ProjectFolder, RequireAzure, session
from mlgates.cli.terminal import speak_any_encoding
from mlgates.config.settings import LOCAL
from mlgates.core.deployments import Kind


class Pipeline(StrEnum):
    """The pipelines."""

    DEV = "dev"
    PROD = "prod"


app = typer.Typer(
    help="Take machine-learning code to production on Azure Machine Learning, through tested gates.",
    no_args_is_help=True,
    add_completion=False,
    # Plain help and tracebacks: rich's take longer to import than the rest of this module.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

# `runs` is imported inside the commands, once connected: it brings in azure-ai-ml, which takes seconds to import and
# reads the environment variables that connecting sets.


@app.command()
def train(
    context: typer.Context,
    env: Env = LOCAL,
    estimator: Annotated[str | None, typer.Option(help="The training job's input of this name.")] = None,
    seed: Annotated[int | None, typer.Option(help="The training job's input of this name.")] = None,
    data: Annotated[Path | None, typer.Option(help="A file to train on instead of the declared one.")] = None,
    build: Annotated[Path | None, typer.Option("--build", help="Train from an archive of 'mlgates build'.")] = None,
    register: Annotated[bool, typer.Option("--register", help="Register the model too.")] = False,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Register environment and data, run the training job and follow it to its end."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import runs  # noqa: PLC0415

        inputs = {"estimator": estimator, "seed": seed}
        runs.train(at_work, client, inputs, data_file=data, build=build, register=register)


@app.command()
def build(
    context: typer.Context,
    env: Env = LOCAL,
    output: Annotated[Path, typer.Option(help="The folder that the archive goes to.")] = Path("dist"),
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Pack sources, declarations, suites and lock into one archive, with the sha256 of each file."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        from mlgates.cli import building  # noqa: PLC0415

        building.build(at_work, output)


@app.command()
def pipeline(
    context: typer.Context,
    name: Annotated[Pipeline, typer.Argument(help="Which one.")],
    env: Annotated[str | None, typer.Option("--env", help="Environment. Default: the pipeline's own name.")] = None,
    build: Annotated[Path | None, typer.Option(help="prod: the archive. Default: the newest in dist/.")] = None,
    estimator: Annotated[str | None, typer.Option(help="The training job's input of this name.")] = None,
    seed: Annotated[int | None, typer.Option(help="The training job's input of this name.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Train although the same was trained before.")] = False,
    until: Annotated[str | None, typer.Option(help="The stage to end with.")] = None,
    approved_by: Annotated[
        str, typer.Option(help="prod: who has approved; ci, ci:ENVIRONMENT: ask the CI system.")
    ] = "",
    reason: Annotated[str, typer.Option(help="prod: why.")] = "",
    no_canary: Annotated[bool, typer.Option("--no-canary", help="prod: all traffic in one step.")] = False,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Run the stages of dev (to its gate) or prod (to released traffic); run again, it goes on where it stood."""
    with session(context, Options(env or name, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import pipelining  # noqa: PLC0415

        inputs = {"estimator": estimator, "seed": seed}
        asked = pipelining.request(
            inputs, anew=anew, until=until, approver=approved_by, reason=reason, canary=not no_canary
        )
        pipelining.pipeline(at_work, client, name, asked, build)


@app.command()
def register(
    context: typer.Context,
    env: Env = LOCAL,
    job: Annotated[str | None, typer.Option(help="A training job. Default: the newest completed one.")] = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Register the model of a completed training job, with its lineage."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import runs  # noqa: PLC0415

        runs.register(at_work, client, job)


@app.command()
def show(
    context: typer.Context,
    env: Env = LOCAL,
    newest: Annotated[int, typer.Option(min=1, help="How many of each kind.")] = 5,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Show what the workspace holds: environments, data, jobs, models with their lineage."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import runs  # noqa: PLC0415

        runs.show(at_work, client, newest=newest)


@app.command()
def contract(
    context: typer.Context,
    env: Env = LOCAL,
    model: Annotated[str | None, typer.Option(help="A model's folder or version. Default: the newest version.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print request and answer as JSON Schema.")] = False,
    openapi: Annotated[bool, typer.Option("--openapi", help="Print the scoring endpoint as OpenAPI 3.1.")] = False,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="CHAMPION CANDIDATE", help="Tell whether the second of two models breaks callers."),
    ] = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Show what a model promises to its callers, or what a candidate would change for them."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        from mlgates.cli import contracts  # noqa: PLC0415

        if compare:
            contracts.compare(at_work, *compare)
        else:
            contracts.show(at_work, model, schema=schema, as_openapi=openapi)


@app.command()
def deploy(
    context: typer.Context,
    env: Env = LOCAL,
    version: Annotated[str | None, typer.Option(help="A version of the model. Default: the newest.")] = None,
    only: Only = None,
    test: Annotated[bool, typer.Option("--test", help="Try each endpoint once it is up.")] = False,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Deploy one model version to the batch and the online endpoint, side by side."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import endpoints  # noqa: PLC0415

        endpoints.deploy(at_work, client, only, version=version, trial=test)


@app.command("test")
def try_out(
    context: typer.Context,
    env: Env = LOCAL,
    only: Only = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Try both endpoints with their samples: a request, and a batch job whose rows are counted."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import endpoints  # noqa: PLC0415

        endpoints.try_out(at_work, client, only)


@app.command()
def invoke(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="Which endpoint.")],
    path: Annotated[Path, typer.Argument(help="online: a request in JSON; batch: a file or folder to score.")],
    env: Env = LOCAL,
    output: Annotated[Path, typer.Option(help="batch: where the predictions go.")] = Path("outputs"),
    deployment: Annotated[str | None, typer.Option(help="online: this one, whatever the traffic.")] = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Ask an endpoint: print the answer, or download the predictions."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import endpoints  # noqa: PLC0415

        if kind is Kind.ONLINE:
            endpoints.invoke_online(at_work, client, path, deployment)
        else:
            endpoints.invoke_batch(at_work, client, path, output)


@app.command()
def logs(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="online: of the deployment; batch: of the newest scoring job.")],
    env: Env = LOCAL,
    lines: Annotated[int, typer.Option(min=1, help="How many, from the end.")] = 50,
    deployment: Annotated[str | None, typer.Option(help="online: of this one. Default: the busiest.")] = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Print what serves a model has logged."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import endpoints  # noqa: PLC0415

        endpoints.logs(at_work, client, kind, lines=lines, deployment=deployment)


@app.command()
def key(
    context: typer.Context,
    env: Env = LOCAL,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Print the key (or a token) of the online endpoint, and nothing else on standard output."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import endpoints  # noqa: PLC0415

        endpoints.key(at_work, client)


@app.command()
def gate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="qa, dev or prod, as mlops/gates.yml declares it.")],
    env: Env = LOCAL,
    version: Annotated[str | None, typer.Option(help="A version of the model. Default: the newest.")] = None,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Hold a model version, or a commit, against what a gate declares; all checks run."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        from mlgates.cli import gating  # noqa: PLC0415

        gating.gate(at_work, name, version)


app.add_typer(release_commands)


@app.command()
def report(
    context: typer.Context,
    env: Env = LOCAL,
    gate: Annotated[str | None, typer.Option(help="Of this gate. Default: what was written last.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Of this pipeline. Default: what was written last.")] = None,
    opened: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Render the newest report of a gate or a pipeline as HTML, and say where it is."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        from mlgates.cli import gating  # noqa: PLC0415

        gating.report(at_work, gate, pipeline, opened=opened)


@app.command()
def destroy(
    context: typer.Context,
    env: Env = LOCAL,
    only: Only = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Delete the endpoints with their deployments; models, data and jobs stay. Asks first."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        client = at_work.connect()
        from mlgates.cli import endpoints  # noqa: PLC0415

        endpoints.destroy(at_work, client, only, sure=yes)


@app.command()
def config(
    context: typer.Context,
    env: Env = LOCAL,
    project: ProjectFolder = None,
    require_azure: RequireAzure = False,
    debug: Debug = False,
) -> None:
    """Show every setting with its source: file, or environment variable."""
    with session(context, Options(env, project, require_azure, debug)) as at_work:
        for name, (value, source) in at_work.settings.shown().items():
            at_work.say(f"{name} = {value}  ({source})")


def main() -> None:
    """Run the command line."""
    speak_any_encoding()
    app()
