"""The commands around endpoints: deploy, test, invoke, logs, key, destroy."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlgates.cli.command import Session
from mlgates.core.errors import AssetMissing, ConfigurationError, EndpointTestFailed
from mlgates.core.values import BatchSmokeTest, EndpointKind, OnlineSmokeTest
from mlgates.delivery import endpoints as delivery
from mlgates.delivery.batch import download_predictions
from mlgates.delivery.batch import invoke_batch as score_files
from mlgates.delivery.online import address
from mlgates.delivery.operations import batch_log, get_online_endpoint, online_log, poll_seconds
from mlgates.endpoint_client import JSON_HEADERS, EndpointClient, curl_line, curl_past_proxy
from mlgates.reports.console import shown

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def deploy(
    session: Session, client: "MLClient", only: EndpointKind | None, *, version: str | None, smoke_test: bool
) -> None:
    """Deploy, and run the smoke tests if asked to."""
    with shown(session.progress) as progress:
        delivered = delivery.deploy(
            client, session.settings, _kinds(only), version=version, smoke_test=smoke_test, progress=progress
        )
    for kind, each in delivered.items():
        session.say(f"{kind:<7}{each.deployment.summary}")
    if smoke_test:
        say_calls(session, {kind: each.deployment.uri for kind, each in delivered.items()})
    else:
        session.say(f"next   {_program()} test --env {session.settings.environment}")


def smoke_test_endpoints(session: Session, client: "MLClient", only: EndpointKind | None) -> None:
    """Run the smoke tests of the endpoints."""
    with shown(session.progress) as progress:
        results = delivery.smoke_test_endpoints(client, session.settings, _kinds(only), progress=progress)
    lines = [line for kind, result in results.items() for line in _lines(kind, result)]
    session.facts({kind: asdict(result) for kind, result in results.items()}, "\n".join(lines))


def invoke_online(session: Session, client: "MLClient", path: Path, deployment: str | None) -> None:
    """Send a request and print the answer; one that is not 200 is an error."""
    if not path.is_file():
        raise AssetMissing(f"{path} is not there: name a file with a request in JSON")
    endpoint = EndpointClient(address(client, session.settings.online_endpoint, deployment=deployment))
    answer = endpoint.score(path.read_bytes(), JSON_HEADERS)
    endpoint.close()
    if answer.status != 200:
        name = session.settings.online_endpoint
        raise EndpointTestFailed(f"online endpoint {name} answered {answer.status}: {answer.text}")
    session.say(answer.text)


def invoke_batch(session: Session, client: "MLClient", path: Path, output: Path) -> None:
    """Score a file or a folder and download the predictions."""
    if not path.exists():
        raise AssetMissing(f"{path} is not there: name a file or a folder to score")
    settings = session.settings
    kind = "uri_folder" if path.is_dir() else "uri_file"
    poll_s, whole = poll_seconds(settings), str(path.resolve())
    with shown(session.progress) as progress:
        job = score_files(client, settings.batch_endpoint, whole, kind, poll_s=poll_s, progress=progress)
    for file in download_predictions(client, job.name, output / job.name):
        session.say(str(file))


def logs(session: Session, client: "MLClient", kind: EndpointKind, *, lines: int, deployment: str | None) -> None:
    """Print the end of a log."""
    settings = session.settings
    if kind is EndpointKind.ONLINE:
        name = deployment or _busiest(session, client)
        found = online_log(client, settings.online_endpoint, name, lines=lines)
    else:
        found = batch_log(client, settings.batch_endpoint, lines=lines)
    for line in found:
        session.say(line)


def _busiest(session: Session, client: "MLClient") -> str:
    """Return the deployment with most traffic, the declared one while none has any."""
    settings = session.settings
    return next(iter(get_online_endpoint(client, settings.online_endpoint).shares), settings.online_deployment_name)


def key(session: Session, client: "MLClient") -> None:
    """Print the credential of the online endpoint."""
    session.say(address(client, session.settings.online_endpoint).credential)


def destroy(session: Session, client: "MLClient", only: EndpointKind | None, *, sure: bool) -> None:
    """Delete endpoints, once someone has said yes."""
    settings, kinds = session.settings, _kinds(only)
    names = " and ".join(f"{kind} endpoint {delivery.endpoint_of(settings, kind)}" for kind in kinds)
    if not sure:
        if not is_answered():
            raise ConfigurationError(f"nobody is here to be asked whether to delete {names}: say --yes")
        typer.confirm(f"Delete {names} of workspace {settings.aml_workspace_name}?", abort=True, err=True)
    with shown(session.progress) as progress:
        outcomes = delivery.destroy(client, settings, kinds, poll_s=poll_seconds(settings), progress=progress)
    for outcome in outcomes:
        session.say(outcome.summary)


def is_answered() -> bool:
    """Return whether somebody is at the terminal to answer a question."""
    return sys.stdin.isatty()


def _kinds(only: EndpointKind | None) -> tuple[EndpointKind, ...]:
    return (only,) if only else tuple(EndpointKind)


def _lines(kind: EndpointKind, result: OnlineSmokeTest | BatchSmokeTest) -> Iterator[str]:
    yield f"{kind:<7}{result.summary}"
    if isinstance(result, OnlineSmokeTest):
        yield f"       predictions  {result.predictions}"
        yield f"       request      {result.request_id}"
    else:
        yield f"       job          {result.job}"


def say_calls(session: Session, uris: Mapping[EndpointKind, str]) -> None:
    """Print, for each endpoint, the line that calls it, ready to be pasted."""
    settings = session.settings
    session.say("call them:")
    if EndpointKind.ONLINE in uris:
        bundle = os.environ.get("REQUESTS_CA_BUNDLE")
        trust = f" --cacert {shlex.quote(_near(Path(bundle)))}" if bundle else ""
        uri, sample = uris[EndpointKind.ONLINE], shlex.quote(f"@{settings.online_sample_request}")
        arguments = f"-s{trust} {curl_past_proxy(uri)}{uri} -H 'Content-Type: application/json' -d {sample}"
        key = f"$({_program()} key --env {settings.environment} 2>/dev/null)"
        session.say(f"  {curl_line(arguments, key)}")
    if EndpointKind.BATCH in uris:
        sample = shlex.quote(str(settings.batch_sample_request))
        session.say(f"  {_program()} invoke batch {sample} --env {settings.environment}")


def _program() -> str:
    """Return how a shell calls this program from the current folder, whether or not its environment is activated."""
    beside = Path(sys.executable).with_name("mlgates")
    return shlex.quote(_near(beside)) if beside.is_file() else "mlgates"


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
