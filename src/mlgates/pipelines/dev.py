"""The dev pipeline: what was merged is built, trained, deployed and tried; a build that passes may go to prod.

The gate's record lies beside the archive of a build that passed, and names it by its checksum.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from mlgates.build.archive import Build
from mlgates.build.packing import make, unpacked
from mlgates.core.errors import BuildRefused
from mlgates.core.files import write_whole
from mlgates.core.gates import GateRecord
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion, EndpointKind
from mlgates.delivery.endpoints import deploy
from mlgates.delivery.training import register_job_model
from mlgates.pipelines.pipeline_run import PipelineRun, Stage, Summary
from mlgates.pipelines.shared_stages import run_gate, run_suite, train_once

NAME = "dev"
GATE = "dev"


def plan(run: PipelineRun, dist: Path, stack: ExitStack) -> Sequence[Stage]:
    """Return the stages; the build goes to `dist`, and what it is unpacked to ends with `stack`."""
    return (
        Stage("build", partial(_build, run, dist, stack)),
        Stage("train", partial(train_once, run)),
        Stage("register", partial(_register, run)),
        Stage("deploy and test", partial(_deploy, run)),
        Stage("integration suite", partial(_integration, run)),
        Stage("dev gate", partial(_gate, run)),
    )


def _integration(run: PipelineRun, *, progress: Progress) -> Summary:
    return run_suite("integration", run.settings, progress=progress)


def note_passed(build: Build, record: GateRecord) -> Path:
    """Write the record of the dev gate beside the archive that it is about; return the file."""
    return write_whole(_beside(build.file), json.dumps(record.to_dict(), indent=1))


def check_passed(build: Build) -> GateRecord:
    """Return the record by which dev passed a build. Raises `BuildRefused` when there is none for just this archive."""
    file = _beside(build.file)
    if not file.is_file():
        raise BuildRefused(
            f"{build.file} has no {file.name} beside it: prod trains from what the dev pipeline has passed, "
            "run 'mlgates pipeline dev', and keep both files together"
        )
    try:
        record = GateRecord.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise BuildRefused(f"{file} is no record of a gate: run 'mlgates pipeline dev' again") from error
    if record.gate != GATE or not record.passed:
        raise BuildRefused(f"{file}: {record.summary}: prod trains only from what dev has passed")
    if record.commit != build.manifest.source.commit:
        raise BuildRefused(
            f"{build.file} is of commit {build.manifest.source.commit[:12]}, dev passed commit {record.commit[:12]}"
        )
    if record.build != build.sha256:
        raise BuildRefused(
            f"{build.file} was changed since dev passed it: its sha256 is {build.sha256[:12]}, dev passed "
            f"{(record.build or 'none')[:12]}"
        )
    return record


def _build(run: PipelineRun, dist: Path, stack: ExitStack, *, progress: Progress) -> Build:
    build = progress.run("build", lambda: make(run.settings.project, run.source, dist))
    from_build = stack.enter_context(unpacked(build.file))
    run.take(from_build)
    return build


def _register(run: PipelineRun, *, progress: Progress) -> AssetVersion:
    run.model = register_job_model(run.client, run.settings, run.job.name if run.job else None, progress=progress)
    return run.model


def _deploy(run: PipelineRun, *, progress: Progress) -> Summary:
    version = run.model.version if run.model else None
    delivered = deploy(
        run.client, run.settings, tuple(EndpointKind), version=version, smoke_test=True, progress=progress
    )
    return Summary("; ".join(each.smoke_test.summary for each in delivered.values() if each.smoke_test))


def _gate(run: PipelineRun, *, progress: Progress) -> GateRecord:
    record = run_gate(run, NAME, progress=progress)
    if run.build:
        note_passed(run.build, record)
    return record


def _beside(archive: Path) -> Path:
    return archive.with_name(f"{archive.stem}.{GATE}-gate.json")
