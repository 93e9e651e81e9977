from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlgates.core.errors import CanaryFailed
from mlgates.core.ledger import lock_of
from mlgates.core.progress import Event, Record, Silent, StepFinished
from mlgates.delivery.workspace_ledger import Ledger
from mlgates.endpoint_client import Address, EndpointClient
from mlgates.release.blue_green import BASELINE, tidy
from mlgates.release.context import ReleaseContext
from mlgates.release.releasing import release
from mlgates.release.rollback import rollback
from tests.unit.mlgates.progress_listener import Killed, ProgressListener, kill, killed, step_of
from tests.unit.mlgates.release.conftest import ENDPOINT, FakeSite


@pytest.fixture
def two(site: FakeSite) -> tuple[str, str]:
    """A version that serves, and an approved one whose canary shall have a baseline."""
    canary = site.declared.canary.model_copy(update={"baseline": True})
    site.declared = site.declared.model_copy(update={"canary": canary})
    first = site.approved()
    release(site.context(), first, progress=Silent())
    return first, site.approved()


def deployments(site: FakeSite) -> set[str]:
    return {name for name, _ in site.workspace.online_deployments.held}


def moves(site: FakeSite, since: int) -> list[dict[str, int]]:
    return [dict(endpoint.traffic) for endpoint in site.workspace.online_endpoints.asked[since:]]


def killed_at(site: FakeSite, version: str, step: str) -> None:
    """Let a release go on until `step` has moved the traffic."""

    def hear(event: Event) -> None:
        if step_of(event) == step and site.traffic.get(version):
            kill()

    with pytest.raises(Killed):
        release(site.context(), version, progress=ProgressListener(hear))


def section_of(site: FakeSite, version: str) -> dict[str, str]:
    """What each step of a release said at its end."""
    record = Record()
    release(site.context(), version, progress=record)
    return {event.step.name: event.summary for event in record.of(StepFinished)}


def test_the_baseline_gets_as_much_traffic_as_the_new_version_and_is_gone_at_the_end(
    site: FakeSite, two: tuple[str, str]
) -> None:
    since = len(site.workspace.online_endpoints.asked)
    release(site.context(), two[1], progress=Silent())
    assert moves(site, since) == [
        {"green": 10, BASELINE: 10, "blue": 80},
        {"green": 50, BASELINE: 50},
        {"green": 100},
    ]
    assert (site.traffic, deployments(site)) == ({two[1]: 100}, {"blue", "green"})


def test_the_new_version_is_compared_with_the_baseline(site: FakeSite, two: tuple[str, str]) -> None:
    reached = []

    def reach(address: Address) -> EndpointClient:
        reached.append(address.deployment)
        return site.reach(address)

    release(replace(site.context(), reach=reach), two[1], progress=Silent())
    assert BASELINE in reached
    assert "blue" not in reached


def test_without_a_step_of_its_own_there_is_no_baseline(site: FakeSite, two: tuple[str, str]) -> None:
    asked = len(site.workspace.online_deployments.asked)
    release(site.context(), two[1], canary=False, progress=Silent())
    assert [entity.name for entity in site.workspace.online_deployments.asked[asked:]] == ["green"]


def test_a_workspace_without_room_for_it_compares_with_what_serves_and_says_so(
    site: FakeSite, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes = site.workspace.online_deployments
    begin = fakes.begin_create_or_update

    def full(entity: Any) -> Any:
        fakes.failure = "Not enough quota available" if entity.name == BASELINE else None
        return begin(entity)

    monkeypatch.setattr(fakes, "begin_create_or_update", full)
    summary = section_of(site, two[1])["baseline"]
    assert "none, the deployment that serves takes its place" in summary
    assert "Not enough quota available" in summary
    assert (site.traffic, deployments(site)) == ({two[1]: 100}, {"blue", "green"})


def test_what_is_deployed_once_more_is_what_was_released(site: FakeSite, two: tuple[str, str]) -> None:
    (site.folder / "model-1" / "planted.py").write_text("print('planted')")
    assert "classifier:1 has changed on its way" in section_of(site, two[1])["baseline"]
    assert all(entity.name != BASELINE for entity in site.workspace.online_deployments.asked)


def test_a_broken_limit_takes_it_away_too(site: FakeSite, two: tuple[str, str]) -> None:
    first, second = two
    site.milliseconds[second] = 900.0
    with pytest.raises(CanaryFailed):
        release(site.context(), second, progress=Silent())
    assert (site.traffic, deployments(site), site.decisions()[-1]) == (
        {first: 100}, {"blue", "green"}, ("withdrawn", second),
    )  # fmt: skip
    assert lock_of(site.context().ledger.entries(), ENDPOINT) is None


def test_a_release_that_is_killed_anywhere_and_run_again_leaves_none(site: FakeSite, two: tuple[str, str]) -> None:
    after = 1
    while killed(lambda progress: release(site.context(), two[1], progress=progress), after):
        after += 1
    assert (site.traffic, deployments(site), after > 20) == ({two[1]: 100}, {"blue", "green"}, True)


@pytest.mark.parametrize("step", ["canary 10 %", "canary 50 %", "canary 100 %"])
def test_a_rollback_takes_away_what_a_killed_release_left(site: FakeSite, two: tuple[str, str], step: str) -> None:
    killed_at(site, two[1], step)
    assert BASELINE in deployments(site)
    rollback(site.context(), progress=Silent())
    assert (site.traffic, deployments(site), site.decisions()[-1]) == (
        {two[0]: 100}, {"blue", "green"}, ("withdrawn", two[1]),
    )  # fmt: skip


def test_the_release_of_another_version_takes_it_away(site: FakeSite, two: tuple[str, str]) -> None:
    killed_at(site, two[1], "canary 10 %")
    third = site.approved()
    release(site.context(), third, progress=Silent())
    assert (site.traffic, deployments(site)) == ({third: 100}, {"blue", "green"})


def test_it_is_never_what_serves_by_right(site: FakeSite, two: tuple[str, str]) -> None:
    killed_at(site, two[1], "canary 10 %")
    site.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    site.workspace.online_endpoints.held[ENDPOINT,].traffic = {"green": 10, BASELINE: 10}
    rollback(site.context(), progress=Silent())
    assert (site.traffic, deployments(site)) == ({two[0]: 100}, {"blue", "green"})


def test_tidying_takes_away_what_was_left(site: FakeSite, two: tuple[str, str]) -> None:
    held = site.workspace.online_deployments.held
    left = held[BASELINE, ENDPOINT] = copy(held["blue", ENDPOINT])
    left.name = BASELINE
    declared = site.declared.model_copy(update={"keep_old_for_hours": 0.0})
    tidy(replace(site.context(), declared=declared), progress=Silent())
    assert deployments(site) == {"blue"}


def later(site: FakeSite, hours: float) -> ReleaseContext:
    """The work of so many hours later."""
    clock = lambda: datetime.now(UTC) + timedelta(hours=hours)  # noqa: E731
    return replace(site.context(), ledger=Ledger(site.client, "classifier", ENDPOINT, clock=clock))


def tidied(site: FakeSite, hours: float) -> Sequence[str]:
    return [outcome.summary for outcome in tidy(later(site, hours), progress=Silent())]


def released(site: FakeSite, count: int) -> None:
    for _ in range(count):
        release(site.context(), site.approved(), progress=Silent())


def test_without_a_release_there_is_nothing_to_take_away(site: FakeSite) -> None:
    assert tidied(site, 1000) == []


def test_an_old_deployment_is_kept_for_its_time(site: FakeSite) -> None:
    released(site, 2)
    assert tidied(site, 71) == []


def test_then_it_is_taken_away_at_both_endpoints(site: FakeSite) -> None:
    released(site, 2)
    assert tidied(site, 73) == ["online-local/blue deleted", "batch-local/blue deleted"]
    assert (site.traffic, site.batch) == ({"2": 100}, "2")


def test_what_has_traffic_is_never_taken_away(site: FakeSite) -> None:
    released(site, 1)
    assert tidied(site, 1000) == []
    assert site.traffic == {"1": 100}


def test_a_deployment_of_another_name_is_left_alone(site: FakeSite) -> None:
    released(site, 2)
    held = site.workspace.online_deployments.held
    held["mine", ENDPOINT] = held["blue", ENDPOINT]
    tidied(site, 73)
    assert {name for name, _ in held} == {"green", "mine"}
