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
from tests.unit.mlgates.progress_listener import Killed, ProgressListener, kill, killed, step_of
from tests.unit.mlgates.release.conftest import DECLARED, ENDPOINT, FakeSite

WRONG, BROKEN = ScoringResponse(200, b"[0, 0]"), ScoringResponse(424, b"{}")
ALIVE = Owner(name="Bob@here", id="somewhere", process=1)


def released(site: FakeSite, version: str, *, canary: bool = True) -> Released:
    return release(site.context(), version, canary=canary, progress=Silent())


def state(site: FakeSite, *versions: str) -> object:
    """All that a release changes."""
    names = {name: site.serving(name) for name, _ in site.workspace.online_deployments.held}
    held = lock_of(site.context().ledger.entries(), ENDPOINT)
    return site.traffic, site.batch, names, [site.tag(version) for version in versions], site.decisions(), held is None


@pytest.fixture
def two(site: FakeSite) -> tuple[str, str]:
    """A version that serves, and an approved one."""
    first = site.approved()
    released(site, first)
    return first, site.approved()


def test_the_first_release_gets_all_traffic_once_it_has_answered(site: FakeSite) -> None:
    version = site.approved()
    assert released(site, version).summary == "online-local/blue serves classifier:1"
    assert (site.traffic, site.batch, site.tag(version)) == ({"1": 100}, "1", "true")


def test_a_release_beside_another_version_changes_colours(site: FakeSite, two: tuple[str, str]) -> None:
    _, second = two
    assert released(site, second).summary == "online-local/green serves classifier:2 after classifier:1"
    assert (site.traffic, site.batch) == ({"2": 100}, "2")
    assert [site.tag(version) for version in two] == ["superseded", "true"]


def test_the_old_deployment_stays_for_the_way_back(site: FakeSite, two: tuple[str, str]) -> None:
    released(site, two[1])
    assert site.serving("blue") == two[0]


def test_the_third_release_takes_the_place_of_the_first(site: FakeSite, two: tuple[str, str]) -> None:
    released(site, two[1])
    third = site.approved()
    released(site, third)
    assert (site.serving("blue"), site.serving("green"), site.traffic) == (third, two[1], {third: 100})


def test_the_traffic_takes_the_declared_steps(site: FakeSite, two: tuple[str, str]) -> None:
    sent = len(site.workspace.online_endpoints.asked)
    released(site, two[1])
    moves = [dict(endpoint.traffic) for endpoint in site.workspace.online_endpoints.asked[sent:]]
    assert moves == [{"green": 10, "blue": 90}, {"green": 50, "blue": 50}, {"green": 100}]


def test_without_canary_the_traffic_takes_one_step(site: FakeSite, two: tuple[str, str]) -> None:
    sent = len(site.workspace.online_endpoints.asked)
    released(site, two[1], canary=False)
    assert [dict(each.traffic) for each in site.workspace.online_endpoints.asked[sent:]] == [{"green": 100}]


def test_traffic_is_mirrored_before_the_first_step_when_that_is_declared(site: FakeSite, two: tuple[str, str]) -> None:
    canary = site.declared.canary.model_copy(update={"mirror": 20})
    site.declared = site.declared.model_copy(update={"canary": canary})
    sent = len(site.workspace.online_endpoints.asked)
    released(site, two[1])
    first, second, *_ = site.workspace.online_endpoints.asked[sent:]
    assert (dict(first.traffic), dict(first.mirror_traffic)) == ({"blue": 100}, {"green": 20})
    assert (dict(second.traffic), dict(second.mirror_traffic)) == ({"green": 10, "blue": 90}, {})


def test_releasing_again_what_serves_changes_nothing(site: FakeSite, two: tuple[str, str]) -> None:
    released(site, two[1])
    before = state(site, *two)
    assert released(site, two[1]).changed is False
    assert state(site, *two) == before


@pytest.mark.parametrize(
    ("answer", "message"),
    [(WRONG, "2 of 3 predictions differ"), (BROKEN, "1 of 2 requests failed")],
    ids=["wrong", "failing"],
)
def test_a_version_that_turns_out_bad_at_a_step_is_withdrawn(
    site: FakeSite, two: tuple[str, str], answer: ScoringResponse, message: str
) -> None:
    first, second = two
    with pytest.raises(CanaryFailed, match=f"classifier:2 is withdrawn at canary 10 %: .*{message}"):
        _until(site, second, "canary 10 %", lambda: site.answers.update({second: answer}))
    assert (site.traffic, site.batch, site.tag(second), site.tag(first)) == ({first: 100}, first, "withdrawn", "true")
    assert site.decisions()[-1] == ("withdrawn", second)


def test_a_slow_version_is_withdrawn(site: FakeSite, two: tuple[str, str]) -> None:
    site.milliseconds[two[1]] = 800.0
    with pytest.raises(CanaryFailed, match="its median answer takes 800 ms, at most 500 ms are allowed"):
        released(site, two[1])
    assert site.traffic == {two[0]: 100}


def test_a_withdrawn_version_reports_its_figures(site: FakeSite, two: tuple[str, str]) -> None:
    site.milliseconds[two[1]] = 800.0
    with pytest.raises(CanaryFailed):
        released(site, two[1])
    facts = site.context().ledger.entries()[-1].facts
    assert (facts["share"], facts["median_ms"], facts["median_ms_before"]) == ("10", "800", "5")


def unhurried(site: FakeSite) -> None:
    """No step is watched for longer than its time."""
    canary = site.declared.canary.model_copy(update={"extra_seconds": ExtraSeconds(local=0)})
    site.declared = site.declared.model_copy(update={"canary": canary})


def test_without_a_verdict_the_traffic_goes_back_and_nothing_is_withdrawn(site: FakeSite, two: tuple[str, str]) -> None:
    first, second = two
    unhurried(site)
    with pytest.raises(CanaryUndecided, match=r"classifier:2 came to no verdict at canary 10 %: .*failed at both"):
        _until(site, second, "canary 10 %", lambda: site.answers.update({first: BROKEN, second: BROKEN}))
    assert (site.traffic, site.batch, site.tag(second)) == ({first: 100}, first, None)
    assert (site.decisions()[-1], lock_of(site.context().ledger.entries(), ENDPOINT)) == (("approved", second), None)
    site.answers.clear()
    site.declared = DECLARED
    assert released(site, second).changed


@pytest.mark.parametrize("canary", [True, False])
def test_beside_a_version_that_is_down_only_a_release_without_canary_goes_on(
    site: FakeSite, two: tuple[str, str], *, canary: bool
) -> None:
    first, second = two
    site.declared = site.declared.model_copy(update={"limits": DECLARED.limits.model_copy(update={"requests": 60})})
    if canary:
        unhurried(site)
    site.answers[first] = BROKEN
    if canary:
        with pytest.raises(CanaryUndecided, match="were answered by both versions, 60 are needed"):
            released(site, second)
    else:
        released(site, second, canary=False)
    assert site.traffic == {first if canary else second: 100}


@pytest.mark.parametrize(
    ("sample", "content"),
    [("batch.csv", "a,b\n1.5,2\n"), ("batch.csv", "a\n1\n"), ("batch.csv", ""), ("online.json", '{"input_data": 1}')],
)
def test_a_bad_sample_is_named_before_anything_is_deployed_and_is_not_the_models_fault(
    site: FakeSite, two: tuple[str, str], sample: str, content: str
) -> None:
    before = state(site, *two)
    (site.settings.project.root / "data" / sample).write_text(content)
    with pytest.raises(SampleRefused, match=f"data/{sample} "):
        released(site, two[1])
    assert state(site, *two) == before


def test_a_sample_saved_by_excel_is_a_good_one(site: FakeSite, two: tuple[str, str]) -> None:
    file = site.settings.project.root / "data" / "batch.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    released(site, two[1])
    assert site.traffic == {two[1]: 100}


@pytest.mark.parametrize("place", [1, 2, 5, 30])
def test_a_failure_under_the_limit_is_watched_to_the_end_of_its_step(
    site: FakeSite, two: tuple[str, str], place: int
) -> None:
    limits = site.declared.limits.model_copy(update={"max_error_rate": 0.05})
    site.declared = site.declared.model_copy(update={"limits": limits})
    asked = Counter[str]()

    def fail_once(version: str) -> None:
        asked[version] += 1
        # The first is the smoke test's.
        site.answers |= {two[1]: BROKEN} if asked[two[1]] == place + 1 else {}
        if asked[two[1]] > place + 1:
            site.answers.pop(two[1], None)

    site.heard = fail_once
    released(site, two[1])
    assert site.traffic == {two[1]: 100}
    assert site.asked[two[1]] > 3 * 50


def test_a_version_that_does_not_answer_gets_no_traffic_at_all(site: FakeSite, two: tuple[str, str]) -> None:
    site.answers[two[1]] = BROKEN
    with pytest.raises(EndpointTestFailed):
        released(site, two[1])
    assert (site.traffic, site.decisions()[-1]) == ({two[0]: 100}, ("approved", two[1]))


def test_a_deployment_that_does_not_come_up_leaves_the_traffic(site: FakeSite, two: tuple[str, str]) -> None:
    site.workspace.online_deployments.failure = "User container has crashed"
    with pytest.raises(DeploymentFailed):
        released(site, two[1])
    assert (site.traffic, site.batch) == ({two[0]: 100}, two[0])


def test_a_release_that_failed_does_not_hold_the_endpoint(site: FakeSite, two: tuple[str, str]) -> None:
    site.answers[two[1]] = BROKEN
    with pytest.raises(EndpointTestFailed):
        released(site, two[1])
    assert lock_of(site.context().ledger.entries(), ENDPOINT) is None


@pytest.mark.parametrize("gate", ["failed", ""])
def test_without_a_passed_gate_nothing_is_released(site: FakeSite, gate: str) -> None:
    version = site.register(gate=gate)
    site.write(Action.APPROVED, version)
    with pytest.raises(NotAllowed, match="gate prod"):
        released(site, version)
    assert site.workspace.online_endpoints.held == {}


def test_without_an_approval_nothing_is_released(site: FakeSite) -> None:
    version = site.register()
    with pytest.raises(NotAllowed, match="mlgates approve classifier:1"):
        released(site, version)
    assert site.workspace.online_endpoints.held == {}


def test_a_model_that_is_not_registered_yet_cannot_be_released(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModelArtifact(AssetVersion("classifier", "job:sunny", created=False, tags={"gate.prod": "passed"}), "c0ffee")
    monkeypatch.setattr(releasing, "read_candidate", lambda *_: (made, None))
    with pytest.raises(NotAllowed, match="classifier:job:sunny is not registered: run 'mlgates register --job sunny'"):
        released(site, "job:sunny")


def test_a_model_that_was_changed_after_its_approval_is_refused(site: FakeSite, two: tuple[str, str]) -> None:
    (site.folder / f"model-{two[1]}" / "MLmodel").write_text("changed")
    with pytest.raises(NotAllowed, match="classifier:2 has changed since Ann approved it"):
        released(site, two[1])
    assert site.traffic == {two[0]: 100}


def test_an_endpoint_that_another_release_holds_is_refused_with_owner_and_age(
    site: FakeSite, two: tuple[str, str]
) -> None:
    take_lock(site.context().ledger, ENDPOINT, "classifier:9", ALIVE, reason=RELEASE)
    with pytest.raises(
        EndpointLocked, match=r"locked by Bob@here \(release of classifier:9\) since \d+ s.*mlgates unlock"
    ):
        released(site, two[1])
    assert site.traffic == {two[0]: 100}


def test_a_rollback_that_was_interrupted_is_finished_before_the_next_release(
    site: FakeSite, two: tuple[str, str]
) -> None:
    take_lock(site.context().ledger, ENDPOINT, "classifier:1", site.context().owner, reason=ROLLBACK)
    with pytest.raises(EndpointLocked, match="finish it with 'mlgates rollback'"):
        released(site, two[1])


def test_a_release_that_is_killed_after_each_of_its_steps_ends_as_if_nothing_had_been(
    site: FakeSite, two: tuple[str, str]
) -> None:
    first, second = two
    after = 1
    while killed(lambda progress: release(site.context(), second, progress=progress), after):
        after += 1
    assert after > 20
    assert (site.traffic, site.batch) == ({second: 100}, second)
    assert [site.tag(version) for version in two] == ["superseded", "true"]
    assert [decision for decision in site.decisions() if decision[0] == "released"] == [
        ("released", first),
        ("released", second),
    ]


def test_a_first_release_that_is_killed_after_each_of_its_steps_ends_as_if_nothing_had_been(site: FakeSite) -> None:
    version, after = site.approved(), 1
    while killed(lambda progress: release(site.context(), version, progress=progress), after):
        after += 1
    assert (site.traffic, site.batch) == ({version: 100}, version)
    assert site.decisions() == [("approved", version), ("released", version)]


def test_what_a_dead_release_of_another_version_left_is_put_back_first(site: FakeSite, two: tuple[str, str]) -> None:
    _until(site, two[1], "canary 100 %", kill, dies=True)
    assert site.traffic == {two[0]: 50, two[1]: 50}
    third = site.approved()
    released(site, third)
    assert (site.traffic, site.decisions()[-1]) == ({third: 100}, ("released", third))
    assert site.context().ledger.entries()[-1].facts["before"] == f"classifier:{two[0]}"


def test_a_release_that_died_in_its_canary_goes_on_from_its_share_and_another_from_none(
    site: FakeSite, two: tuple[str, str]
) -> None:
    _until(site, two[1], "canary 100 %", kill, dies=True)
    again = releasing.release_state(site.context(), f"classifier:{two[1]}")
    assert (again.share, again.is_clean) == (50, True)
    other = releasing.release_state(site.context(), f"classifier:{site.approved()}")
    assert (other.share, other.is_clean) == (0, False)


def _until(site: FakeSite, version: str, step: str, then: Callable[[], object], *, dies: bool = False) -> None:
    """Release, and do `then` once a step has moved the traffic."""

    def hear(event: Event) -> None:
        if step_of(event) == step and site.traffic.get(version):
            then()

    try:
        release(site.context(), version, progress=ProgressListener(hear))
    except Killed:
        assert dies


def test_a_workspace_that_is_gone_half_way_is_reported_with_what_to_do(site: FakeSite, two: tuple[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(WorkspaceUnavailable, match="is as it was: run this"):
        _until(site, two[1], "canary 10 %", lambda: patch.setattr(site.workspace.online_endpoints, "get", _gone))
    assert site.traffic == {two[0]: 90, two[1]: 10}
    released(site, two[1])
    assert site.traffic == {two[1]: 100}


def _gone(*_: str) -> object:
    raise ServiceRequestError("connection refused")


def test_rolling_back_without_a_release_is_refused(site: FakeSite) -> None:
    with pytest.raises(NotAllowed, match="nothing has been released"):
        rollback(site.context(), progress=Silent())


def test_rolling_back_from_the_first_version_is_refused(site: FakeSite) -> None:
    released(site, site.approved())
    with pytest.raises(NotAllowed, match="first version"):
        rollback(site.context(), progress=Silent())


def test_a_rollback_returns_without_deploying_or_training(site: FakeSite, two: tuple[str, str]) -> None:
    released(site, two[1])
    deployed = len(site.workspace.online_deployments.asked)
    rollback(site.context(), reason="complaints", progress=Silent())
    assert (site.traffic, site.batch, len(site.workspace.online_deployments.asked)) == (
        {two[0]: 100}, two[0], deployed,
    )  # fmt: skip
    assert ([site.tag(version) for version in two], site.decisions()[-1]) == (
        ["true", "rolled back"],
        ("rolled back", "1"),
    )


def test_a_rollback_to_a_deployment_that_is_gone_deploys_again(site: FakeSite, two: tuple[str, str]) -> None:
    released(site, two[1])
    site.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    site.workspace.batch_deployments.begin_delete("blue", "batch-local")
    rollback(site.context(), progress=Silent())
    assert (site.traffic, site.batch) == ({two[0]: 100}, two[0])


def test_what_is_deployed_again_must_be_what_was_released(site: FakeSite, two: tuple[str, str]) -> None:
    released(site, two[1])
    site.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    (site.folder / "model-1" / "MLmodel").write_text("changed")
    with pytest.raises(NotAllowed, match="classifier:1 has changed since it was released"):
        rollback(site.context(), progress=Silent())
    assert site.traffic == {two[1]: 100}


def test_a_rollback_to_a_version_that_does_not_answer_leaves_the_traffic(site: FakeSite, two: tuple[str, str]) -> None:
    released(site, two[1])
    site.answers[two[0]] = BROKEN
    with pytest.raises(EndpointTestFailed):
        rollback(site.context(), progress=Silent())
    assert site.traffic == {two[1]: 100}


def test_a_rollback_that_is_killed_anywhere_and_run_again_has_returned(site: FakeSite, two: tuple[str, str]) -> None:
    for after in range(1, 15):
        released(site, two[1], canary=False)
        if not killed(lambda progress: rollback(site.context(), progress=progress), after):
            break
        _again(site)
        assert (site.traffic, site.batch, site.decisions()[-1]) == ({two[0]: 100}, two[0], ("rolled back", two[0]))
    assert after > 5


def _again(site: FakeSite) -> None:
    """Run the rollback again, unless it had been written down already."""
    if site.decisions()[-1][0] != "rolled back":
        rollback(site.context(), progress=Silent())


def test_a_release_that_was_given_up_is_rolled_back_to_what_serves_by_right(
    site: FakeSite, two: tuple[str, str]
) -> None:
    _until(site, two[1], "canary 50 %", kill, dies=True)
    rollback(site.context(), reason="not today", progress=Silent())
    assert (site.traffic, site.tag(two[1]), site.decisions()[-1]) == ({two[0]: 100}, "withdrawn", ("withdrawn", two[1]))


def test_every_failure_of_a_release_has_an_exit_code_of_its_kind() -> None:
    kinds: list[type[MlgatesError]] = [
        NotAllowed, EndpointLocked, CanaryFailed, CanaryUndecided, SampleRefused, EndpointTestFailed, DeploymentFailed,
    ]  # fmt: skip
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
