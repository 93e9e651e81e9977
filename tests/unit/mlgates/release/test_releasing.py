from collections import Counter
from collections.abc import Callable

import pytest
from azure.core.exceptions import ServiceRequestError

from mlgates.core.errors import (
    CanaryFailed,
    CanaryUndecided,
    DeploymentFailed,
    EndpointLocked,
    EndpointTestFailed,
    MlgatesError,
    NotAllowed,
    SampleRefused,
    WorkspaceUnavailable,
)
from mlgates.core.ledger import Action, lock_of
from mlgates.core.progress import Event, Silent
from mlgates.core.values import AssetVersion, ModelArtifact, Released
from mlgates.endpoint_client import ScoringResponse
from mlgates.release import releasing
from mlgates.release.locking import RELEASE, ROLLBACK, Owner, take_lock
from mlgates.release.release_file import ExtraSeconds
from mlgates.release.releasing import release
from mlgates.release.rollback import rollback
from tests.unit.mlgates.hearing import Hearing, Killed, kill, killed, step_of
from tests.unit.mlgates.release.conftest import DECLARED, ENDPOINT, Town

WRONG, BROKEN = ScoringResponse(200, b"[0, 0]"), ScoringResponse(424, b"{}")
ALIVE = Owner(name="Bob@here", id="somewhere", process=1)


def released(town: Town, version: str, *, canary: bool = True) -> Released:
    return release(town.context(), version, canary=canary, progress=Silent())


def state(town: Town, *versions: str) -> object:
    """All that a release changes."""
    names = {name: town.serving(name) for name, _ in town.workspace.online_deployments.held}
    held = lock_of(town.context().ledger.entries(), ENDPOINT)
    return town.traffic, town.batch, names, [town.tag(version) for version in versions], town.decisions(), held is None


@pytest.fixture
def two(town: Town) -> tuple[str, str]:
    """A version that serves, and an approved one."""
    first = town.approved()
    released(town, first)
    return first, town.approved()


def test_the_first_release_gets_all_traffic_once_it_has_answered(town: Town) -> None:
    version = town.approved()
    assert released(town, version).summary == "online-local/blue serves classifier:1"
    assert (town.traffic, town.batch, town.tag(version)) == ({"1": 100}, "1", "true")


def test_a_release_beside_another_version_changes_colours(town: Town, two: tuple[str, str]) -> None:
    _, second = two
    assert released(town, second).summary == "online-local/green serves classifier:2 after classifier:1"
    assert (town.traffic, town.batch) == ({"2": 100}, "2")
    assert [town.tag(version) for version in two] == ["superseded", "true"]


def test_the_old_deployment_stays_for_the_way_back(town: Town, two: tuple[str, str]) -> None:
    released(town, two[1])
    assert town.serving("blue") == two[0]


def test_the_third_release_takes_the_place_of_the_first(town: Town, two: tuple[str, str]) -> None:
    released(town, two[1])
    third = town.approved()
    released(town, third)
    assert (town.serving("blue"), town.serving("green"), town.traffic) == (third, two[1], {third: 100})


def test_the_traffic_takes_the_declared_steps(town: Town, two: tuple[str, str]) -> None:
    sent = len(town.workspace.online_endpoints.asked)
    released(town, two[1])
    moves = [dict(endpoint.traffic) for endpoint in town.workspace.online_endpoints.asked[sent:]]
    assert moves == [{"green": 10, "blue": 90}, {"green": 50, "blue": 50}, {"green": 100}]


def test_without_canary_the_traffic_takes_one_step(town: Town, two: tuple[str, str]) -> None:
    sent = len(town.workspace.online_endpoints.asked)
    released(town, two[1], canary=False)
    assert [dict(each.traffic) for each in town.workspace.online_endpoints.asked[sent:]] == [{"green": 100}]


def test_traffic_is_mirrored_before_the_first_step_when_that_is_declared(town: Town, two: tuple[str, str]) -> None:
    canary = town.declared.canary.model_copy(update={"mirror": 20})
    town.declared = town.declared.model_copy(update={"canary": canary})
    sent = len(town.workspace.online_endpoints.asked)
    released(town, two[1])
    first, second, *_ = town.workspace.online_endpoints.asked[sent:]
    assert (dict(first.traffic), dict(first.mirror_traffic)) == ({"blue": 100}, {"green": 20})
    assert (dict(second.traffic), dict(second.mirror_traffic)) == ({"green": 10, "blue": 90}, {})


def test_releasing_again_what_serves_changes_nothing(town: Town, two: tuple[str, str]) -> None:
    released(town, two[1])
    before = state(town, *two)
    assert released(town, two[1]).changed is False
    assert state(town, *two) == before


@pytest.mark.parametrize(
    ("answer", "message"),
    [(WRONG, "2 of 3 predictions differ"), (BROKEN, "1 of 2 requests failed")],
    ids=["wrong", "failing"],
)
def test_a_version_that_turns_out_bad_at_a_step_is_withdrawn(
    town: Town, two: tuple[str, str], answer: ScoringResponse, message: str
) -> None:
    first, second = two
    with pytest.raises(CanaryFailed, match=f"classifier:2 is withdrawn at canary 10 %: .*{message}"):
        _until(town, second, "canary 10 %", lambda: town.answers.update({second: answer}))
    assert (town.traffic, town.batch, town.tag(second), town.tag(first)) == ({first: 100}, first, "withdrawn", "true")
    assert town.decisions()[-1] == ("withdrawn", second)


def test_a_slow_version_is_withdrawn(town: Town, two: tuple[str, str]) -> None:
    town.milliseconds[two[1]] = 800.0
    with pytest.raises(CanaryFailed, match="its median answer takes 800 ms, at most 500 ms are allowed"):
        released(town, two[1])
    assert town.traffic == {two[0]: 100}


def test_a_withdrawn_version_reports_its_figures(town: Town, two: tuple[str, str]) -> None:
    town.milliseconds[two[1]] = 800.0
    with pytest.raises(CanaryFailed):
        released(town, two[1])
    facts = town.context().ledger.entries()[-1].facts
    assert (facts["share"], facts["median_ms"], facts["median_ms_before"]) == ("10", "800", "5")


def unhurried(town: Town) -> None:
    """No step is watched for longer than its time."""
    canary = town.declared.canary.model_copy(update={"extra_seconds": ExtraSeconds(local=0)})
    town.declared = town.declared.model_copy(update={"canary": canary})


def test_without_a_verdict_the_traffic_goes_back_and_nothing_is_withdrawn(town: Town, two: tuple[str, str]) -> None:
    first, second = two
    unhurried(town)
    with pytest.raises(CanaryUndecided, match=r"classifier:2 came to no verdict at canary 10 %: .*failed at both"):
        _until(town, second, "canary 10 %", lambda: town.answers.update({first: BROKEN, second: BROKEN}))
    assert (town.traffic, town.batch, town.tag(second)) == ({first: 100}, first, None)
    assert (town.decisions()[-1], lock_of(town.context().ledger.entries(), ENDPOINT)) == (("approved", second), None)
    town.answers.clear()
    town.declared = DECLARED
    assert released(town, second).changed


@pytest.mark.parametrize("canary", [True, False])
def test_beside_a_version_that_is_down_only_a_release_without_canary_goes_on(
    town: Town, two: tuple[str, str], *, canary: bool
) -> None:
    first, second = two
    town.declared = town.declared.model_copy(update={"limits": DECLARED.limits.model_copy(update={"requests": 60})})
    if canary:
        unhurried(town)
    town.answers[first] = BROKEN
    if canary:
        with pytest.raises(CanaryUndecided, match="were answered by both versions, 60 are needed"):
            released(town, second)
    else:
        released(town, second, canary=False)
    assert town.traffic == {first if canary else second: 100}


@pytest.mark.parametrize(
    ("sample", "content"),
    [("batch.csv", "a,b\n1.5,2\n"), ("batch.csv", "a\n1\n"), ("batch.csv", ""), ("online.json", '{"input_data": 1}')],
)
def test_a_bad_sample_is_named_before_anything_is_deployed_and_is_not_the_models_fault(
    town: Town, two: tuple[str, str], sample: str, content: str
) -> None:
    before = state(town, *two)
    (town.settings.project.root / "data" / sample).write_text(content)
    with pytest.raises(SampleRefused, match=f"data/{sample} "):
        released(town, two[1])
    assert state(town, *two) == before


def test_a_sample_saved_by_excel_is_a_good_one(town: Town, two: tuple[str, str]) -> None:
    file = town.settings.project.root / "data" / "batch.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    released(town, two[1])
    assert town.traffic == {two[1]: 100}


@pytest.mark.parametrize("place", [1, 2, 5, 30])
def test_a_failure_under_the_limit_is_watched_to_the_end_of_its_step(
    town: Town, two: tuple[str, str], place: int
) -> None:
    limits = town.declared.limits.model_copy(update={"max_error_rate": 0.05})
    town.declared = town.declared.model_copy(update={"limits": limits})
    asked = Counter[str]()

    def fail_once(version: str) -> None:
        asked[version] += 1
        # The first is the smoke test's.
        town.answers |= {two[1]: BROKEN} if asked[two[1]] == place + 1 else {}
        if asked[two[1]] > place + 1:
            town.answers.pop(two[1], None)

    town.heard = fail_once
    released(town, two[1])
    assert town.traffic == {two[1]: 100}
    assert town.asked[two[1]] > 3 * 50


def test_a_version_that_does_not_answer_gets_no_traffic_at_all(town: Town, two: tuple[str, str]) -> None:
    town.answers[two[1]] = BROKEN
    with pytest.raises(EndpointTestFailed):
        released(town, two[1])
    assert (town.traffic, town.decisions()[-1]) == ({two[0]: 100}, ("approved", two[1]))


def test_a_deployment_that_does_not_come_up_leaves_the_traffic(town: Town, two: tuple[str, str]) -> None:
    town.workspace.online_deployments.failure = "User container has crashed"
    with pytest.raises(DeploymentFailed):
        released(town, two[1])
    assert (town.traffic, town.batch) == ({two[0]: 100}, two[0])


def test_a_release_that_failed_does_not_hold_the_endpoint(town: Town, two: tuple[str, str]) -> None:
    town.answers[two[1]] = BROKEN
    with pytest.raises(EndpointTestFailed):
        released(town, two[1])
    assert lock_of(town.context().ledger.entries(), ENDPOINT) is None


@pytest.mark.parametrize("gate", ["failed", ""])
def test_without_a_passed_gate_nothing_is_released(town: Town, gate: str) -> None:
    version = town.register(gate=gate)
    town.write(Action.APPROVED, version)
    with pytest.raises(NotAllowed, match="gate prod"):
        released(town, version)
    assert town.workspace.online_endpoints.held == {}


def test_without_an_approval_nothing_is_released(town: Town) -> None:
    version = town.register()
    with pytest.raises(NotAllowed, match="mlgates approve classifier:1"):
        released(town, version)
    assert town.workspace.online_endpoints.held == {}


def test_a_model_that_is_not_registered_yet_cannot_be_released(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModelArtifact(AssetVersion("classifier", "job:sunny", created=False, tags={"gate.prod": "passed"}), "c0ffee")
    monkeypatch.setattr(releasing, "read_candidate", lambda *_: (made, None))
    with pytest.raises(NotAllowed, match="classifier:job:sunny is not registered: run 'mlgates register --job sunny'"):
        released(town, "job:sunny")


def test_a_model_that_was_changed_after_its_approval_is_refused(town: Town, two: tuple[str, str]) -> None:
    (town.folder / f"model-{two[1]}" / "MLmodel").write_text("changed")
    with pytest.raises(NotAllowed, match="classifier:2 has changed since Ann approved it"):
        released(town, two[1])
    assert town.traffic == {two[0]: 100}


def test_an_endpoint_that_another_release_holds_is_refused_with_owner_and_age(town: Town, two: tuple[str, str]) -> None:
    take_lock(town.context().ledger, ENDPOINT, "classifier:9", ALIVE, reason=RELEASE)
    with pytest.raises(
        EndpointLocked, match=r"locked by Bob@here \(release of classifier:9\) since \d+ s.*mlgates unlock"
    ):
        released(town, two[1])
    assert town.traffic == {two[0]: 100}


def test_a_rollback_that_was_interrupted_is_finished_before_the_next_release(town: Town, two: tuple[str, str]) -> None:
    take_lock(town.context().ledger, ENDPOINT, "classifier:1", town.context().owner, reason=ROLLBACK)
    with pytest.raises(EndpointLocked, match="finish it with 'mlgates rollback'"):
        released(town, two[1])


def test_a_release_that_is_killed_after_each_of_its_steps_ends_as_if_nothing_had_been(
    town: Town, two: tuple[str, str]
) -> None:
    first, second = two
    after = 1
    while killed(lambda progress: release(town.context(), second, progress=progress), after):
        after += 1
    assert after > 20
    assert (town.traffic, town.batch) == ({second: 100}, second)
    assert [town.tag(version) for version in two] == ["superseded", "true"]
    assert [decision for decision in town.decisions() if decision[0] == "released"] == [
        ("released", first),
        ("released", second),
    ]


def test_a_first_release_that_is_killed_after_each_of_its_steps_ends_as_if_nothing_had_been(town: Town) -> None:
    version, after = town.approved(), 1
    while killed(lambda progress: release(town.context(), version, progress=progress), after):
        after += 1
    assert (town.traffic, town.batch) == ({version: 100}, version)
    assert town.decisions() == [("approved", version), ("released", version)]


def test_what_a_dead_release_of_another_version_left_is_put_back_first(town: Town, two: tuple[str, str]) -> None:
    _until(town, two[1], "canary 100 %", kill, dies=True)
    assert town.traffic == {two[0]: 50, two[1]: 50}
    third = town.approved()
    released(town, third)
    assert (town.traffic, town.decisions()[-1]) == ({third: 100}, ("released", third))
    assert town.context().ledger.entries()[-1].facts["before"] == f"classifier:{two[0]}"


def test_a_release_that_died_in_its_canary_goes_on_from_its_share_and_another_from_none(
    town: Town, two: tuple[str, str]
) -> None:
    _until(town, two[1], "canary 100 %", kill, dies=True)
    again = releasing.release_state(town.context(), f"classifier:{two[1]}")
    assert (again.share, again.is_clean) == (50, True)
    other = releasing.release_state(town.context(), f"classifier:{town.approved()}")
    assert (other.share, other.is_clean) == (0, False)


def _until(town: Town, version: str, step: str, then: Callable[[], object], *, dies: bool = False) -> None:
    """Release, and do `then` once a step has moved the traffic."""

    def hear(event: Event) -> None:
        if step_of(event) == step and town.traffic.get(version):
            then()

    try:
        release(town.context(), version, progress=Hearing(hear))
    except Killed:
        assert dies


def test_a_workspace_that_is_gone_half_way_is_reported_with_what_to_do(town: Town, two: tuple[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(WorkspaceUnavailable, match="is as it was: run this"):
        _until(town, two[1], "canary 10 %", lambda: patch.setattr(town.workspace.online_endpoints, "get", _gone))
    assert town.traffic == {two[0]: 90, two[1]: 10}
    released(town, two[1])
    assert town.traffic == {two[1]: 100}


def _gone(*_: str) -> object:
    raise ServiceRequestError("connection refused")


def test_rolling_back_without_a_release_is_refused(town: Town) -> None:
    with pytest.raises(NotAllowed, match="nothing has been released"):
        rollback(town.context(), progress=Silent())


def test_rolling_back_from_the_first_version_is_refused(town: Town) -> None:
    released(town, town.approved())
    with pytest.raises(NotAllowed, match="first version"):
        rollback(town.context(), progress=Silent())


def test_a_rollback_returns_without_deploying_or_training(town: Town, two: tuple[str, str]) -> None:
    released(town, two[1])
    deployed = len(town.workspace.online_deployments.asked)
    rollback(town.context(), reason="complaints", progress=Silent())
    assert (town.traffic, town.batch, len(town.workspace.online_deployments.asked)) == (
        {two[0]: 100}, two[0], deployed,
    )  # fmt: skip
    assert ([town.tag(version) for version in two], town.decisions()[-1]) == (
        ["true", "rolled back"],
        ("rolled back", "1"),
    )


def test_a_rollback_to_a_deployment_that_is_gone_deploys_again(town: Town, two: tuple[str, str]) -> None:
    released(town, two[1])
    town.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    town.workspace.batch_deployments.begin_delete("blue", "batch-local")
    rollback(town.context(), progress=Silent())
    assert (town.traffic, town.batch) == ({two[0]: 100}, two[0])


def test_what_is_deployed_again_must_be_what_was_released(town: Town, two: tuple[str, str]) -> None:
    released(town, two[1])
    town.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    (town.folder / "model-1" / "MLmodel").write_text("changed")
    with pytest.raises(NotAllowed, match="classifier:1 has changed since it was released"):
        rollback(town.context(), progress=Silent())
    assert town.traffic == {two[1]: 100}


def test_a_rollback_to_a_version_that_does_not_answer_leaves_the_traffic(town: Town, two: tuple[str, str]) -> None:
    released(town, two[1])
    town.answers[two[0]] = BROKEN
    with pytest.raises(EndpointTestFailed):
        rollback(town.context(), progress=Silent())
    assert town.traffic == {two[1]: 100}


def test_a_rollback_that_is_killed_anywhere_and_run_again_has_returned(town: Town, two: tuple[str, str]) -> None:
    for after in range(1, 15):
        released(town, two[1], canary=False)
        if not killed(lambda progress: rollback(town.context(), progress=progress), after):
            break
        _again(town)
        assert (town.traffic, town.batch, town.decisions()[-1]) == ({two[0]: 100}, two[0], ("rolled back", two[0]))
    assert after > 5


def _again(town: Town) -> None:
    """Run the rollback again, unless it had been written down already."""
    if town.decisions()[-1][0] != "rolled back":
        rollback(town.context(), progress=Silent())


def test_a_release_that_was_given_up_is_rolled_back_to_what_serves_by_right(town: Town, two: tuple[str, str]) -> None:
    _until(town, two[1], "canary 50 %", kill, dies=True)
    rollback(town.context(), reason="not today", progress=Silent())
    assert (town.traffic, town.tag(two[1]), town.decisions()[-1]) == ({two[0]: 100}, "withdrawn", ("withdrawn", two[1]))


def test_every_failure_of_a_release_has_an_exit_code_of_its_kind() -> None:
    kinds: list[type[MlgatesError]] = [
        NotAllowed, EndpointLocked, CanaryFailed, CanaryUndecided, SampleRefused, EndpointTestFailed, DeploymentFailed,
    ]  # fmt: skip
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
