from pathlib import Path

import pytest
from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.errors import JobFailed
from mlgates.core.progress import JobSubmitted, Record, Silent, StepFailed, StepFinished
from mlgates.core.values import Inventory, SourceState
from mlgates.delivery.models import take_inventory
from mlgates.delivery.training import TrainingRequest, register_job_model, train
from tests.unit.mlgates.fake_workspace import FakeJob, FakeWorkspace, Status

REQUEST = TrainingRequest(SourceState("c0ffee", dirty=False))


def test_training_is_a_list_of_named_steps(client: MLClient, settings: Settings) -> None:
    record = Record()
    train(client, settings, REQUEST, progress=record)
    assert [fact.step.name for fact in record.of(StepFinished)] == ["environment", "data", "submit", "job"]


def test_training_ends_with_the_completed_job(client: MLClient, settings: Settings) -> None:
    job = train(client, settings, REQUEST, progress=Silent())
    assert (job.name, job.status) == ("job-1", "Completed")


def test_where_to_look_is_reported_before_the_job_is_followed(client: MLClient, settings: Settings) -> None:
    record = Record()
    train(client, settings, REQUEST, progress=record)
    assert [(fact.job, fact.link) for fact in record.of(JobSubmitted)] == [("job-1", "https://studio/run")]


def test_training_again_registers_no_asset_twice(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    for _ in range(2):
        workspace.jobs.states = [Status.COMPLETED]
        train(client, settings, REQUEST, progress=Silent())
    assert (len(workspace.environments.saved), len(workspace.data.saved)) == (1, 1)


def test_every_training_is_a_job_of_its_own(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    names = []
    for _ in range(2):
        workspace.jobs.states = [Status.COMPLETED]
        names.append(train(client, settings, REQUEST, progress=Silent()).name)
    assert names == ["job-1", "job-2"]


def test_another_file_can_be_trained_on(
    client: MLClient, workspace: FakeWorkspace, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("a,b\n")
    train(client, settings, TrainingRequest(REQUEST.source, data_file=file), progress=Silent())
    assert str(workspace.data.saved[0].path) == str(file)


def test_a_failed_job_fails_its_step(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    workspace.jobs.states = [Status.FAILED]
    record = Record()
    with pytest.raises(JobFailed):
        train(client, settings, REQUEST, progress=record)
    assert isinstance(record.events[-1], StepFailed)


def test_a_registered_job_is_registered_again_without_asking_for_its_metrics(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    workspace.jobs.held = [FakeJob("job-9", Status.COMPLETED)]
    workspace.models.create_or_update(type("Model", (), {"name": "classifier", "tags": {"job": "job-9"}}))
    record = Record()
    register_job_model(client, settings, progress=record)
    assert record.of(StepFinished)[-1].summary == "classifier:1 already holds this content"


def test_an_inventory_holds_the_newest_of_each_kind(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    for _ in range(2):
        workspace.jobs.states = [Status.COMPLETED]
        train(client, settings, REQUEST, progress=Silent())
    found = take_inventory(client, settings, newest=1)
    assert ([str(each) for each in found.data], [job.name for job in found.jobs]) == (["patients:1"], ["job-2"])


def test_an_empty_workspace_has_an_empty_inventory(client: MLClient, settings: Settings) -> None:
    assert take_inventory(client, settings, newest=5) == Inventory((), (), (), ())
