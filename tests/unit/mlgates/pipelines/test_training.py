import sys
import threading
from pathlib import Path

import pytest
from azure.ai.ml import MLClient

from mlgates.build.archive import Build
from mlgates.build.manifest import Manifest
from mlgates.config.settings import Settings
from mlgates.core.progress import JobStatusChanged, JobSubmitted, Logged, Record, StepFinished
from mlgates.core.values import SourceState
from mlgates.pipelines import training
from mlgates.pipelines.training import train_once, train_twice
from mlgates.pipelines.work import Request, Work
from tests.unit.mlgates.fake_workspace import FakeWorkspace, Status

SOURCE = SourceState("c0ffee", dirty=False)


@pytest.fixture(autouse=True)
def _without_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "preload", lambda: None)


@pytest.fixture
def work(client: MLClient, settings: Settings) -> Work:
    build = Build(Path("build-1.zip"), "5ha", Manifest(SOURCE, {}))
    return Work(client, settings, Request(), SOURCE, build=build, trained_from=settings)


def writes_its_name() -> None:
    """Log the name of the thread that streams: each job has one of its own, named after it."""
    sys.stdout.write(f"Streaming a.txt\n{'=' * 15}\n{threading.current_thread().name}\n")


def test_each_of_two_jobs_that_are_followed_at_once_is_told_by_a_step_of_its_own(
    work: Work, workspace: FakeWorkspace
) -> None:
    workspace.jobs.script = writes_its_name
    workspace.jobs.states = [Status.COMPLETED, Status.COMPLETED]
    record = Record()
    trained = train_twice(work, progress=record)
    assert (trained.job.name, trained.twin and trained.twin.name) == ("job-1", "job-2")
    told = {(fact.step.name, fact.job) for fact in record.of(JobSubmitted)}
    assert told == {("job", "job-1"), ("twin job", "job-2")}
    assert {(fact.step.name, fact.job) for fact in record.of(JobStatusChanged)} == told
    lines = {(fact.step.run_name, fact.line) for fact in record.of(Logged) if fact.step}
    assert lines == {("job", "log of job-1"), ("twin job", "log of job-2")}


def test_what_was_trained_before_is_taken_as_it_is(work: Work, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.COMPLETED]
    first, again = train_once(work, progress=Record()), Record()
    assert train_once(work, progress=again) == first
    assert [fact.step.name for fact in again.of(StepFinished)] == ["environment", "data", "job"]
