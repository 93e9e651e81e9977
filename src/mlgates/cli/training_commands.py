"""The commands train, register and show: a run, shown while it goes, and its result in a few lines."""

import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.build.packing import data_beside, unpacked
from mlgates.cli.command import Session
from mlgates.config.settings import Settings
from mlgates.core.checkout import source_or_unknown
from mlgates.core.values import AssetVersion, Job
from mlgates.delivery import training as delivery
from mlgates.delivery.models import take_inventory
from mlgates.reports.console import shown
from mlgates.reports.tables import inventory_tables, where_to_look

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def train(
    session: Session,
    client: "MLClient",
    inputs: Mapping[str, str | int | None],
    *,
    data_file: Path | None,
    build: Path | None = None,
    register: bool,
) -> None:
    """Train, from the checkout or from a build, and register the model if asked to.

    `inputs` that are None stay as declared.
    """
    settings = session.settings
    request = delivery.TrainingRequest(
        source=source_or_unknown(settings.project.root, os.environ),
        inputs={name: value for name, value in inputs.items() if value is not None},
        data_file=data_file,
    )
    if build is None:
        _train(session, client, settings, request, register=register)
        return
    with unpacked(build) as from_build:
        request = replace(
            request,
            source=from_build.build.manifest.source,
            data_file=data_file or data_beside(from_build.project, settings.project),
            build=from_build.build.sha256,
        )
        _train(session, client, replace(settings, project=from_build.project), request, register=register)


def register(session: Session, client: "MLClient", job_name: str | None) -> None:
    """Register the model of a job."""
    with shown(session.progress) as progress:
        model = delivery.register_job_model(client, session.settings, job_name, progress=progress)
    _say_model(session, model)


def show(session: Session, client: "MLClient", *, newest: int) -> None:
    """Show what the workspace has."""
    inventory = take_inventory(client, session.settings, newest=newest)
    session.facts(asdict(inventory), inventory_tables(inventory))
    for line in where_to_look(inventory):
        session.say(line)


def _train(
    session: Session, client: "MLClient", settings: Settings, request: delivery.TrainingRequest, *, register: bool
) -> None:
    if register:
        with shown(session.progress) as progress:
            model = delivery.train_and_register(client, settings, request, progress=progress)
        _say_model(session, model)
    else:
        with shown(session.progress) as progress:
            job = delivery.train(client, settings, request, progress=progress)
        _say_job(session, job)


def _say_job(session: Session, job: Job) -> None:
    session.say(f"job    {job.name}")
    session.say(f"look   {job.link or 'mlgates show'}")
    session.say(f"next   mlgates register --env {session.settings.environment} --job {job.name}")


def _say_model(session: Session, model: AssetVersion) -> None:
    session.say(f"model  {model}")
    session.say(f"job    {model.tags.get('job', 'unknown')}")
    session.say(f"look   mlgates show --env {session.settings.environment}")
