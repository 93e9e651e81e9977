import sys
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import pytest
import yaml
from azure.ai.ml import MLClient
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.values import AssetVersion, Job, SourceState
from mlgates.delivery.jobs import Training, find_job, submit
from tests.unit.mlgates.fake_workspace import FakeJob, FakeWorkspace, Status

TRAINING = Training(
    environment=AssetVersion("train-env", "4", created=False),
    data=AssetVersion("patients", "7", created=True, tags={"sha256": "ab" * 32, "origin": "stand-in"}),
    source=SourceState("c0ffee", dirty=True),
)


def with_inputs(**inputs: str | int) -> Training:
    return Training(TRAINING.environment, TRAINING.data, TRAINING.source, inputs)


def test_the_job_runs_in_exact_versions(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    submit(client, settings, TRAINING)
    (job,) = workspace.jobs.submitted
    spec = job._to_dict()
    assert spec["environment"] == "azureml:train-env:4"
    assert spec["inputs"]["input"]["path"] == "azureml:patients:7"


def test_the_configured_names_win_over_the_file(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    submit(client, settings, TRAINING)
    (job,) = workspace.jobs.submitted
    assert (job.experiment_name, job.environment_variables) == ("experiment", {"MODEL_PATH": "my-model"})


def test_the_job_is_tagged_with_what_it_was_made_from(client: MLClient, settings: Settings) -> None:
    assert submit(client, settings, TRAINING).tags == {
        "stage": "training",
        "git_commit": "c0ffee",
        "git_dirty": "True",
        "data": "patients:7",
        "data_sha256": "ab" * 32,
        "data_origin": "stand-in",
        "environment": "train-env:4",
        "build_sha256": "none",
        "recipe_sha256": ANY,
    }


@given(st.booleans(), st.sampled_from([None, "ab" * 32]))
def test_a_training_is_known_again_unless_nothing_says_what_it_is_made_from(dirty: bool, build: str | None) -> None:
    one, other = (replace(TRAINING, source=SourceState("c0ffee", dirty=dirty), build=build) for _ in range(2))
    assert (one.fingerprint == other.fingerprint) == (build is not None or not dirty)


@pytest.mark.parametrize("change", [{"inputs": {"seed": 9}}, {"reproduces": "job-1"}, {"build": "cd" * 32}])
def test_what_decides_the_outcome_is_part_of_the_fingerprint(change: dict[str, Any]) -> None:
    clean = replace(TRAINING, source=SourceState("c0ffee", dirty=False))
    assert replace(clean, **change).fingerprint != clean.fingerprint


def test_data_without_a_checksum_is_tagged_unknown(client: MLClient, settings: Settings) -> None:
    training = Training(TRAINING.environment, AssetVersion("patients", "1", created=True), TRAINING.source)
    assert submit(client, settings, training).tags["data_sha256"] == "unknown"


def test_declared_inputs_can_be_set(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    submit(client, settings, with_inputs(estimator="random-forest", seed=7))
    inputs = workspace.jobs.submitted[0]._to_dict()["inputs"]
    assert (inputs["estimator"], inputs["seed"]) == ("random-forest", 7)


def test_inputs_that_nobody_set_stay_as_declared(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    submit(client, settings, with_inputs(seed=7))
    assert workspace.jobs.submitted[0]._to_dict()["inputs"]["estimator"] == "logistic"


def test_an_unknown_input_is_refused_before_anything_is_sent(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    with pytest.raises(ConfigurationError, match=r"no input 'estimatr'. Did you mean 'estimator'"):
        submit(client, settings, with_inputs(estimatr="x"))
    assert workspace.jobs.submitted == []


def test_a_pipeline_without_the_data_input_is_refused(client: MLClient, settings: Settings) -> None:
    file = settings.project.training / "pipeline.yml"
    document = yaml.safe_load(file.read_text())
    del document["inputs"]["input"]
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigurationError, match="there is no input 'input'"):
        submit(client, settings, TRAINING)


def test_another_type_of_job_is_refused(client: MLClient, settings: Settings) -> None:
    (settings.project.training / "pipeline.yml").write_text("type: pipeline\njobs: {}\n")
    with pytest.raises(ConfigurationError, match=r"must be a command job .* not pipeline"):
        submit(client, settings, TRAINING)


def test_what_the_sdk_prints_after_an_upload_is_kept_from_people(
    client: MLClient, workspace: FakeWorkspace, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    create: Callable[..., FakeJob] = workspace.jobs.create_or_update

    def upload_and_create(job: object) -> FakeJob:
        for piece in ("\x1b[39m\n", "\n", "a warning\n"):
            sys.stderr.write(piece)
        return create(job)

    workspace.jobs.create_or_update = upload_and_create  # type: ignore[method-assign] # the fake is ours to script
    submit(client, settings, TRAINING)
    assert capsys.readouterr().err == "a warning\n"


def test_the_newest_completed_job_of_the_experiment_is_found(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.held = [
        None,  # what the SDK makes of an entry that it cannot parse
        FakeJob("running", Status.RUNNING),
        FakeJob("elsewhere", Status.COMPLETED, "other"),
        FakeJob("newest", Status.COMPLETED),
        FakeJob("older", Status.COMPLETED),
    ]
    assert find_job(client, "experiment").name == "newest"


def test_without_a_completed_job_the_way_out_is_reported(client: MLClient) -> None:
    with pytest.raises(AssetMissing, match="no completed job in experiment experiment: run 'mlgates train' first"):
        find_job(client, "experiment")


def test_a_job_is_found_by_name_in_our_words(client: MLClient, workspace: FakeWorkspace) -> None:
    services = {"Tracking": SimpleNamespace(endpoint="https://mlflow?")}
    workspace.jobs.held = [FakeJob("j", Status.CANCELED, "e", "https://look", {"a": "b"}, services)]
    workspace.jobs.states = []
    assert find_job(client, "experiment", "j") == Job(
        "j", "e", "Canceled", link="https://look", tracking="https://mlflow", tags={"a": "b"}
    )


def test_an_unknown_job_is_reported_in_one_line(client: MLClient) -> None:
    with pytest.raises(AssetMissing, match=r"^cannot find job nope: Run nope not found$"):
        find_job(client, "experiment", "nope")


def test_a_state_that_the_sdk_does_not_know_is_reported_as_it_came(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.held = [FakeJob("j", "Dreaming")]  # type: ignore[arg-type] # newer than the SDK's enum
    workspace.jobs.states = []
    assert find_job(client, "experiment", "j").status == "Dreaming"
