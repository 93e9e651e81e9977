"""A release whose lock was broken or taken over meanwhile: it must not move, make or write anything more."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from mlgates.core.errors import EndpointHeld, LedgerBroken, MlgatesError, NotAllowed
from mlgates.core.events import Steps
from mlgates.core.ledger import Action, lock_of
from mlgates.core.steps import to_the_end
from mlgates.release.lock import RELEASE, free, take
from mlgates.release.owner import Owner
from mlgates.release.releasing import release
from mlgates.release.rolling_back import rollback
from mlgates.release.tidying import tidy
from tests.unit.mlgates.release.conftest import ENDPOINT, Town
from tests.unit.mlgates.release.test_tidying import later

THIEF = Owner(name="Eve@desk", id="eve")


def lose(town: Town) -> None:
    """Break the lock, and take it for somebody else, as a person who thinks the process dead would."""
    ledger = town.work().ledger
    free(ledger, ENDPOINT, by="Eve", reason="thought to be dead")
    take(ledger, ENDPOINT, "classifier:9", THIEF, reason=RELEASE)


def break_it(town: Town) -> None:
    free(town.work().ledger, ENDPOINT, by="Eve", reason="thought to be dead")


def changes(town: Town) -> list[Any]:
    """All that was asked of endpoints and deployments, and the entries."""
    workspace = town.workspace
    groups = (workspace.online_endpoints, workspace.online_deployments, workspace.batch_endpoints)
    asked = [len(group.asked) for group in (*groups, workspace.batch_deployments)]
    return [asked, sorted(workspace.online_deployments.held), [entry.number for entry in town.work().ledger.entries()]]


def first_release(town: Town) -> Steps[Any]:
    return release(town.work(), town.approved())


def second_release(town: Town) -> Steps[Any]:
    to_the_end(release(town.work(), town.approved()))
    return release(town.work(), town.approved())


def return_to_the_first(town: Town) -> Steps[Any]:
    to_the_end(second_release(town))
    return rollback(town.work())


def return_by_deploying(town: Town) -> Steps[Any]:
    run = return_to_the_first(town)
    town.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    town.workspace.batch_deployments.begin_delete("blue", "batch-local")
    return run


def take_away(town: Town) -> Steps[Any]:
    to_the_end(second_release(town))
    return tidy(later(town, 1000))


@pytest.mark.parametrize("rob", [lose, break_it])
@pytest.mark.parametrize("begin", [first_release, second_release, return_to_the_first, return_by_deploying, take_away])
def test_whenever_the_lock_is_lost_nothing_more_is_changed(
    town: Town,
    begin: Callable[[Town], Steps[Any]],
    rob: Callable[[Town], None],
) -> None:
    run = begin(town)
    events = 0
    while lock_of(town.work().ledger.entries(), ENDPOINT) is None:
        next(run)
        events += 1
    rob(town)
    before = changes(town)
    with pytest.raises(EndpointHeld, match=r"not held by this process any more .* by Eve in entry \d+") as stopped:
        to_the_end(run)
    assert stopped.value.exit_code == 14
    assert changes(town) == before


def at_each_event(town: Town, rob: Callable[[], None], kind: type[MlgatesError]) -> int:
    """Release again and again, robbed three events later each time; return how often it was stopped."""
    stopped = 0
    version = town.approved()
    for after in range(1, 60, 3):
        run = release(town.work(), version)
        try:
            for _ in range(after):
                next(run)
        except StopIteration:
            return stopped
        if lock_of(town.work().ledger.entries(), ENDPOINT) is None:
            run.close()
            continue
        for thread in threading.enumerate():
            if thread.name in {"online", "batch"}:  # what goes on side by side has come to its end
                thread.join()
        rob()
        before = changes(town)
        with pytest.raises(kind):
            to_the_end(run)
        stopped += 1
        assert changes(town) == before
        free(town.work().ledger, ENDPOINT, by="Eve", reason="gave it back")
    return stopped


def test_at_whichever_step_the_lock_is_lost_the_release_stops(town: Town) -> None:
    to_the_end(release(town.work(), town.approved()))
    assert at_each_event(town, lambda: lose(town), EndpointHeld) > 5
    assert town.traffic == {"2": 100}


def test_what_another_process_holds_is_not_freed_by_the_one_that_lost_it(town: Town) -> None:
    run = second_release(town)
    while lock_of(town.work().ledger.entries(), ENDPOINT) is None:
        next(run)
    lose(town)
    with pytest.raises(EndpointHeld):
        to_the_end(run)
    held = lock_of(town.work().ledger.entries(), ENDPOINT)
    assert held is not None
    assert held.by == THIEF.name


def interrupted(town: Town, after: int, disturb: Callable[[str], None], kind: type[MlgatesError]) -> bool:
    """Release a new version, disturbed after so many events; return whether it had not come to its end by then."""
    version = town.approved()
    run = release(town.work(), version)
    try:
        for _ in range(after):
            next(run)
    except StopIteration:
        return False
    if lock_of(town.work().ledger.entries(), ENDPOINT) is None:
        run.close()
        return ("released", version) not in town.told()
    for thread in threading.enumerate():
        if thread.name in {"online", "batch"}:
            thread.join()
    disturb(version)
    with pytest.raises(kind):
        to_the_end(run)
    return True


def test_whenever_the_ledger_breaks_everything_goes_back_to_what_serves_by_right(town: Town) -> None:
    to_the_end(release(town.work(), town.approved()))
    data, after = town.workspace.data, 0
    held: list[Any] = []

    def cut(_: str) -> None:
        held.append(data.get("classifier-ledger", str(town.work().ledger.entries()[-1].number)))
        data.delete("classifier-ledger", held[-1].version)

    while interrupted(town, after := after + 4, cut, LedgerBroken):
        assert (town.traffic, town.batch) == ({"1": 100}, "1")
        while held:
            data.create_or_update(held.pop())
        if lock_of(town.work().ledger.entries(), ENDPOINT):
            free(town.work().ledger, ENDPOINT, by="Ann", reason="the ledger is whole again")
    assert after >= 20


@pytest.mark.parametrize("first", [True, False])
def test_a_version_that_is_rejected_while_it_is_released_goes_no_further(town: Town, first: bool) -> None:
    if not first:
        to_the_end(release(town.work(), town.approved()))
    serves, after = ({} if first else {"1": 100}), 0
    reject = lambda version: town.write(Action.REJECTED, version)  # noqa: E731
    while interrupted(town, after := after + 4, reject, NotAllowed):
        if (ENDPOINT,) in town.workspace.online_endpoints.held:
            assert town.traffic == serves
        if not first:
            assert town.batch == "1"
        assert lock_of(town.work().ledger.entries(), ENDPOINT) is None
    assert after > 15


def test_a_release_stops_when_the_ledger_is_tampered_with_on_its_way(town: Town) -> None:
    run = second_release(town)
    while lock_of(town.work().ledger.entries(), ENDPOINT) is None:
        next(run)
    town.workspace.data.delete("classifier-ledger", str(town.work().ledger.entries()[-1].number))
    with pytest.raises(LedgerBroken, match="what was written is gone"):
        to_the_end(run)
    assert town.traffic == {"1": 100}
