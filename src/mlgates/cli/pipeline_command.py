"""The command `pipeline`: runs the stages of dev or prod, shows them, and leaves the record whatever happened."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.cli.command import Session
from mlgates.cli.endpoint_commands import say_calls
from mlgates.core.checkout import source_state
from mlgates.core.gates import GateRecord
from mlgates.core.pipelines import PipelineRecord
from mlgates.core.values import EndpointKind
from mlgates.delivery.operations import get_batch_endpoint, get_online_endpoint
from mlgates.pipelines import dev, prod
from mlgates.pipelines.ci_approver import approver_of
from mlgates.pipelines.pipeline_run import PipelineRequest, PipelineRun, newest_build, run_pipeline
from mlgates.reports.console import shown
from mlgates.reports.markdown import show_on_run
from mlgates.reports.report_files import markdown_file, write_pipeline
from mlgates.reports.tables import stages_table

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

DIST = "dist"
"""The folder of builds, below the project's."""


def request(
    inputs: Mapping[str, str | int | None],
    *,
    force_retrain: bool,
    until: str | None,
    approver: str,
    reason: str,
    canary: bool,
) -> PipelineRequest:
    """Return what is asked of a pipeline; `inputs` that are None stay as declared, an approver `ci` is looked up."""
    given = {name: value for name, value in inputs.items() if value is not None}
    by = approver_of(approver, os.environ)
    return PipelineRequest(
        inputs=given,
        force_retrain=force_retrain,
        until=until,
        approver=by.name,
        reason=reason or by.comment,
        canary=canary,
    )


def pipeline(session: Session, client: "MLClient", name: str, asked: PipelineRequest, build: Path | None) -> None:
    """Run a pipeline to its end, or to where it waits or fails."""
    settings = session.settings
    project = settings.project
    dist = project.root / DIST
    run = PipelineRun(client, settings, asked, source_state(project.root, os.environ))
    plan = partial(dev.plan, run, dist) if name == dev.NAME else partial(prod.plan, run, build or newest_build(dist))
    with shown(session.progress) as progress:
        record, error = run_pipeline(name, run, plan, progress=progress)
    file = write_pipeline(record, project.reports)
    session.output.print(stages_table(record))
    session.say(record.summary)
    session.say(f"report {project.shown(file)}")
    records: list[PipelineRecord | GateRecord] = [record, *run.gates]
    for each in records:
        show_on_run(markdown_file(each, project.reports), os.environ, session.say)
    if error is not None:
        raise error
    if record.serving:
        _say_calls(session, client)


def _say_calls(session: Session, client: "MLClient") -> None:
    online = get_online_endpoint(client, session.settings.online_endpoint)
    batch = get_batch_endpoint(client, session.settings.batch_endpoint)
    say_calls(
        session,
        {EndpointKind.ONLINE: str(online.endpoint.scoring_uri), EndpointKind.BATCH: str(batch.endpoint.scoring_uri)},
    )
