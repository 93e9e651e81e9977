import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
from azure.ai.ml import MLClient

from mlgates.build.archive import Build, Manifest
from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, SuiteFailed
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


@pytest.fixture
def smoke(settings: Settings) -> Path:
    """The folder of a smoke suite of the test's project."""
    folder = settings.project.root / "tests" / "smoke"
    folder.mkdir(parents=True)
    (settings.project.root / "pytest.ini").write_text("[pytest]\n")
    return folder


def test_a_suite_that_passes_is_reported_by_its_last_line(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(pytestconfig): assert pytestconfig.getoption('--env') == 'local'")
    record = Record()
    assert run_suite("smoke", settings, progress=record).summary.startswith("1 passed")
    assert any("1 passed" in fact.line for fact in record.of(Logged))


def test_a_suite_leaves_its_report_for_the_gate(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): pass")
    run_suite("smoke", settings, progress=Silent())
    assert (settings.project.reports / "suites" / "smoke.json").is_file()


def test_a_suite_leaves_its_results_for_ci_when_it_fails_too(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): assert 1 == 2")
    with pytest.raises(SuiteFailed):
        run_suite("smoke", settings, progress=Silent())
    results = ElementTree.parse(settings.project.reports / "junit" / "smoke.xml")
    assert [case.get("name") for case in results.iter("testcase")] == ["test_it"]


def test_a_suite_that_fails_is_reported_with_its_last_lines(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): assert 1 == 2")
    with pytest.raises(SuiteFailed, match=r"the smoke suite failed:\n(?s:.)*assert 1 == 2"):
        run_suite("smoke", settings, progress=Silent())


def test_a_project_without_the_suite_is_told_what_is_missing(settings: Settings) -> None:
    with pytest.raises(AssetMissing, match="tests/integration is not there"):
        run_suite("integration", settings, progress=Silent())
