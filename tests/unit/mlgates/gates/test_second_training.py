"""Which job is a second training of a model: completed, tagged as one, and of the same source, data and environment."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from mlgates.evaluation.target import EvaluationConfig
from tests.unit.mlgates.fake_workspace import FakeJob, FakeWorkspace, Status
from tests.unit.mlgates.gates.fakes import FakeModel

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

ORIGIN = {"git_commit": "abc", "data": "patients:1", "environment": "train:1"}
REPEATED = {**ORIGIN, "reproduces": "first"}


@pytest.fixture
def second(workspace: FakeWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Second":
    return Second(workspace, tmp_path, monkeypatch)


class Second:
    """Looks for the second training of the job `first`."""

    def __init__(self, workspace: FakeWorkspace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from mlgates.gates import workspace as module  # noqa: PLC0415 - brings in azure-ai-ml

        monkeypatch.setattr(module, "run_metrics", lambda _, job: {f"auc of {job}": 0.9})
        self._workspace = workspace
        self._evidence = module.WorkspaceEvidence(cast("MLClient", workspace), folder, EvaluationConfig(label="ill"))

    def among(self, *jobs: FakeJob) -> dict[str, float] | None:
        self._workspace.jobs.held = list(jobs)
        return self._evidence.reproduced_metrics(FakeModel(tags={**ORIGIN, "job": "first"}), "experiment")


def test_its_metrics_are_those_of_the_newest(second: Second) -> None:
    jobs = (FakeJob(name, Status.COMPLETED, tags=REPEATED) for name in ("newer", "older"))
    assert second.among(*jobs) == {"auc of newer": 0.9}


@pytest.mark.parametrize(
    "other",
    [
        FakeJob("first", Status.COMPLETED, tags=ORIGIN),
        FakeJob("failed", Status.FAILED, tags=REPEATED),
        FakeJob("of another job", Status.COMPLETED, tags={**REPEATED, "reproduces": "zeroth"}),
        FakeJob("of another experiment", Status.COMPLETED, "elsewhere", tags=REPEATED),
        *(
            FakeJob(f"of another {name}", Status.COMPLETED, tags={**REPEATED, name: "other"})
            for name in ("git_commit", "data", "environment")
        ),
    ],
    ids=lambda job: job.name,
)
def test_any_other_job_is_none(second: Second, other: FakeJob) -> None:
    assert second.among(other) is None
