"""The story that the example tells: released, rejected, replaced, and back; each decision read back from the workspace.

One local workspace, as prod would be one: a logistic regression is approved and released; a scaled one passes its gate
and is rejected, so that the first goes on serving and no version is registered; a random forest is approved, and takes
the traffic over step by step; then roll back, and forward.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mlgates.build.archive import Build
from mlgates.build.packing import make
from mlgates.config.settings import Settings
from mlgates.core.checkout import source_state
from mlgates.core.errors import MlgatesError, NotAllowed, PendingApproval
from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.ledger import Action, Draft
from mlgates.core.pipelines import PipelineRecord
from mlgates.core.progress import Silent
from mlgates.core.values import SourceState

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

# MLflow says so of its own type hints, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


@dataclass(frozen=True)
class Seen:
    """What the workspace told after a chapter."""

    versions: dict[str, str]
    """Version of the registry to the estimator of its job."""
    serving: dict[str, str]
    """Deployment with traffic to its share and version."""
    batch: str
    history: Sequence[str]


@dataclass(frozen=True)
class Chapter:
    """A run of the prod pipeline and what it left behind."""

    record: PipelineRecord
    error: MlgatesError | None
    seen: Seen


def look(client: "MLClient", settings: Settings) -> Seen:
    """Ask the workspace by azure-ai-ml alone."""
    from mlgates.delivery.operations import get_batch_endpoint, get_online_endpoint, served_model  # noqa: PLC0415
    from mlgates.delivery.workspace_ledger import Ledger  # noqa: PLC0415 - within the workspace's environment variables

    online, batch = (
        get_online_endpoint(client, settings.online_endpoint),
        get_batch_endpoint(client, settings.batch_endpoint),
    )
    jobs = {str(model.version): client.jobs.get(model.tags["job"]) for model in client.models.list(settings.model_name)}
    return Seen(
        versions={version: str(job._to_dict()["inputs"]["estimator"]) for version, job in jobs.items()},
        serving={name: f"{share} % {served_model(online.deployments[name])}" for name, share in online.shares.items()},
        batch=str(served_model(batch.deployments[batch.default or ""])),
        history=[
            f"{entry.action} {entry.by}"
            for entry in Ledger(client, settings.model_name).entries()
            if entry.action not in {Action.LOCKED, Action.UNLOCKED}
        ],
    )


@pytest.fixture(scope="module")
def source(mlgates_settings: Settings) -> SourceState:
    """The commit of this checkout."""
    return source_state(mlgates_settings.project.root, os.environ)


@pytest.fixture(scope="module")
def build(mlgates_settings: Settings, source: SourceState, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A build of this checkout that dev has passed: that pipeline is the integration suite's affair."""
    from mlgates.pipelines.dev import note_passed  # noqa: PLC0415

    made = make(mlgates_settings.project, source, tmp_path_factory.mktemp("dist"))
    passed = CheckResult(name="metrics.auc", verdict=Verdict.PASSED, reason="auc is 0.9")
    record = GateRecord(
        gate="dev", environment="dev", workspace="dev", candidate=None, champion=None, results=(passed,),
        started="2026-01-01T00:00:00+00:00", seconds=1.0, commit=source.commit, build=made.sha256,
    )  # fmt: skip
    note_passed(made, record)
    return made


@pytest.fixture(scope="module")
def story(
    mlgates_workspace: "MLClient", mlgates_settings: Settings, source: SourceState, build: Build
) -> dict[str, Chapter | Seen]:
    """All chapters, one after the other."""
    from mlgates.pipelines import prod  # noqa: PLC0415
    from mlgates.pipelines.pipeline_run import PipelineRequest, PipelineRun, run_pipeline  # noqa: PLC0415
    from mlgates.release.approval import decide  # noqa: PLC0415
    from mlgates.release.context import ReleaseContext  # noqa: PLC0415
    from mlgates.release.releasing import release  # noqa: PLC0415
    from mlgates.release.rollback import rollback  # noqa: PLC0415

    def run(estimator: str, *, approver: str = "", until: str | None = "release") -> Chapter:
        request = PipelineRequest(
            inputs={"estimator": estimator}, until=until, approver=approver, reason="as the story has it"
        )
        state = PipelineRun(mlgates_workspace, mlgates_settings, request, source)
        record, error = run_pipeline(
            "prod", state, lambda stack: prod.plan(state, build.file, stack), progress=Silent()
        )
        return Chapter(record, error, look(mlgates_workspace, mlgates_settings))

    def reject(chapter: Chapter) -> None:
        candidate = chapter.record.gates[-1].candidate
        assert candidate is not None
        decision = Draft(action=Action.REJECTED, by="Bob", model=candidate.model, reason="ages one-hot")
        decide(mlgates_workspace, mlgates_settings, decision, progress=Silent())

    chapters: dict[str, Chapter | Seen] = {"released": run("logistic", approver="Ann")}
    waiting = run("scaled-logistic")
    reject(waiting)
    chapters |= {"waiting": waiting, "rejected": run("scaled-logistic")}
    chapters["replaced"] = run("random-forest", approver="Ann")
    rollback(
        ReleaseContext.of(mlgates_workspace, mlgates_settings, by="Ann"),
        reason="to show that it can be done",
        progress=Silent(),
    )
    chapters["back"] = look(mlgates_workspace, mlgates_settings)
    release(ReleaseContext.of(mlgates_workspace, mlgates_settings, by="Ann"), "2", progress=Silent())
    chapters["forward"] = look(mlgates_workspace, mlgates_settings)
    return chapters


def chapter(story: dict[str, Chapter | Seen], name: str) -> Chapter:
    found = story[name]
    assert isinstance(found, Chapter)
    return found


def seen(story: dict[str, Chapter | Seen], name: str) -> Seen:
    found = story[name]
    return found.seen if isinstance(found, Chapter) else found


def states(found: Chapter) -> dict[str, str]:
    return {stage.name: str(stage.state) for stage in found.record.stages}


def test_the_logistic_regression_is_released_as_version_1(story: dict[str, Chapter | Seen]) -> None:
    assert chapter(story, "released").error is None
    assert seen(story, "released").versions == {"1": "logistic"}
    assert seen(story, "released").serving == {"blue": "100 % diabetes-classifier:1"}


def test_the_scaled_one_passes_its_gate_and_waits(story: dict[str, Chapter | Seen]) -> None:
    waiting = chapter(story, "waiting")
    assert isinstance(waiting.error, PendingApproval)
    assert (states(waiting)["prod gate"], states(waiting)["approval"]) == ("passed", "waiting")
    assert states(waiting)["register"] == "skipped"


def test_what_the_approver_rejects_is_never_registered(story: dict[str, Chapter | Seen]) -> None:
    rejected = chapter(story, "rejected")
    assert isinstance(rejected.error, NotAllowed)
    assert seen(story, "rejected").versions == {"1": "logistic"}


def test_after_a_rejection_version_1_goes_on_serving(story: dict[str, Chapter | Seen]) -> None:
    assert seen(story, "rejected").serving == {"blue": "100 % diabetes-classifier:1"}
    assert seen(story, "rejected").batch == "diabetes-classifier:1"


def test_running_again_after_a_decision_trains_nothing_anew(story: dict[str, Chapter | Seen]) -> None:
    before, after = (chapter(story, name).record.gates[-1].candidate for name in ("waiting", "rejected"))
    assert before is not None
    assert after is not None
    assert before.model == after.model


def test_the_forest_replaces_it_as_version_2(story: dict[str, Chapter | Seen]) -> None:
    assert chapter(story, "replaced").error is None
    assert seen(story, "replaced").versions == {"1": "logistic", "2": "random-forest"}
    assert seen(story, "replaced").serving == {"green": "100 % diabetes-classifier:2"}
    assert seen(story, "replaced").batch == "diabetes-classifier:2"


def test_the_forest_was_compared_with_what_served(story: dict[str, Chapter | Seen]) -> None:
    gate = chapter(story, "replaced").record.gates[-1]
    assert gate.champion is not None
    assert gate.champion.model == "diabetes-classifier:1"
    (result,) = (result for result in gate.results if result.kind == "champion")
    assert result.figure is not None
    assert result.figure > 0.05


def test_a_roll_back_brings_version_1_back_and_a_release_version_2(story: dict[str, Chapter | Seen]) -> None:
    assert seen(story, "back").serving == {"blue": "100 % diabetes-classifier:1"}
    assert seen(story, "back").batch == "diabetes-classifier:1"
    assert seen(story, "forward").serving == {"green": "100 % diabetes-classifier:2"}


def test_the_ledger_reports_the_whole_story(story: dict[str, Chapter | Seen]) -> None:
    assert seen(story, "forward").history == [
        "approved Ann",
        "released Ann",
        "rejected Bob",
        "approved Ann",
        "released Ann",
        "rolled back Ann",
        "released Ann",
    ]
