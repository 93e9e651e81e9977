import sys
import threading
from pathlib import Path

import pytest
from azure.ai.ml import MLClient

from mlgates.build.archive import Build, Manifest
from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.core.progress import JobStatusChanged, JobSubmitted, Logged, Record, Silent, StepFinished
from mlgates.core.values import SourceState
from mlgates.pipelines import shared_stages
from mlgates.pipelines.pipeline_run import PipelineRequest, PipelineRun
from mlgates.pipelines.shared_stages import run_suite, train_once, train_twice
from tests.unit.mlgates.fake_workspace import FakeWorkspace, Status

SOURCE = SourceState("c0ffee", dirty=False)


@pytest.fixture(autouse=True)
def _without_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_stages, "preload", lambda: None)


@pytest.fixture
def run(client: MLClient, settings: Settings) -> PipelineRun:
    build = Build(Path("build-1.zip"), "5ha", Manifest(SOURCE, {}))
    return PipelineRun(client, settings, PipelineRequest(), SOURCE, build=build, trained_from=settings)


def writes_its_name() -> None:
    """Log the name of the thread that streams: each job has one of its own, named after it."""
    sys.stdout.write(f"Streaming a.txt\n{'=' * 15}\n{threading.current_thread().name}\n")


def test_each_of_two_jobs_that_are_followed_at_once_is_reported_by_a_step_of_its_own(
    run: PipelineRun, workspace: FakeWorkspace
) -> None:
    workspace.jobs.script = writes_its_name
    workspace.jobs.states = [Status.COMPLETED, Status.COMPLETED]
    record = Record()
    trained = train_twice(run, progress=record)
    assert (trained.job.name, trained.reproduction and trained.reproduction.name) == ("job-1", "job-2")
    submitted = {(fact.step.name, fact.job) for fact in record.of(JobSubmitted)}
    assert submitted == {("job", "job-1"), ("reproducibility run", "job-2")}
    assert {(fact.step.name, fact.job) for fact in record.of(JobStatusChanged)} == submitted
    lines = {(fact.step.run_name, fact.line) for fact in record.of(Logged) if fact.step}
    assert lines == {("job", "log of job-1"), ("reproducibility run", "log of job-2")}


def test_what_was_trained_before_is_taken_as_it_is(run: PipelineRun, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.COMPLETED]
    first, again = train_once(run, progress=Record()), Record()
    assert train_once(run, progress=again) == first
    assert [fact.step.name for fact in again.of(StepFinished)] == ["environment", "data", "job"]


def test_a_project_without_the_suite_is_told_what_is_missing(settings: Settings) -> None:
    with pytest.raises(AssetMissing, match="tests/integration is not there"):
        run_suite("integration", settings, progress=Silent())
