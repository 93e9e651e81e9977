"""A release whose lock was broken or taken over meanwhile: it must not move, make or write anything more."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import pytest

from mlgates.core.errors import EndpointLocked, LedgerBroken, MlgatesError, NotAllowed
from mlgates.core.ledger import Action, lock_of
from mlgates.core.progress import Event, Progress, Silent
from mlgates.release.blue_green import tidy
from mlgates.release.locking import RELEASE, Owner, free_lock, take_lock
from mlgates.release.releasing import release
from mlgates.release.rollback import rollback
from tests.unit.mlgates.hearing import Hearing, Killed, after, kill
from tests.unit.mlgates.release.conftest import ENDPOINT, Town
from tests.unit.mlgates.release.test_blue_green import later

Run: TypeAlias = Callable[[Progress], object]
THIEF = Owner(name="Eve@desk", id="eve")


def lose(town: Town) -> None:
    """Break the lock, and take it for somebody else, as a person who thinks the process dead would."""
    ledger = town.context().ledger
    free_lock(ledger, ENDPOINT, by="Eve", reason="thought to be dead")
    take_lock(ledger, ENDPOINT, "classifier:9", THIEF, reason=RELEASE)


def break_it(town: Town) -> None:
    free_lock(town.context().ledger, ENDPOINT, by="Eve", reason="thought to be dead")


def changes(town: Town) -> list[Any]:
    """All that was asked of endpoints and deployments, and the entries."""
    workspace = town.workspace
    groups = (workspace.online_endpoints, workspace.online_deployments, workspace.batch_endpoints)
    asked = [len(group.asked) for group in (*groups, workspace.batch_deployments)]
    return [
        asked,
        sorted(workspace.online_deployments.held),
        [entry.number for entry in town.context().ledger.entries()],
    ]


def first_release(town: Town) -> Run:
    version = town.approved()
    return lambda progress: release(town.context(), version, progress=progress)


def second_release(town: Town) -> Run:
    first_release(town)(Silent())
    return first_release(town)


def return_to_the_first(town: Town) -> Run:
    second_release(town)(Silent())
    return lambda progress: rollback(town.context(), progress=progress)


def return_by_deploying(town: Town) -> Run:
    run = return_to_the_first(town)
    town.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    town.workspace.batch_deployments.begin_delete("blue", "batch-local")
    return run


def take_away(town: Town) -> Run:
    second_release(town)(Silent())
    return lambda progress: tidy(later(town, 1000), progress=progress)


def is_locked(town: Town) -> bool:
    return lock_of(town.context().ledger.entries(), ENDPOINT) is not None


def once_locked(town: Town, act: Callable[[], object]) -> Progress:
    """Do something as soon as the lock is taken."""
    done: list[Event] = []

    def hear(event: Event) -> None:
        if not done and is_locked(town):
            done.append(event)
            act()

    return Hearing(hear)


@pytest.mark.parametrize("rob", [lose, break_it])
@pytest.mark.parametrize("begin", [first_release, second_release, return_to_the_first, return_by_deploying, take_away])
def test_whenever_the_lock_is_lost_nothing_more_is_changed(
    town: Town,
    begin: Callable[[Town], Run],
    rob: Callable[[Town], None],
) -> None:
    run, before = begin(town), list[Any]()

    def robbed() -> None:
        rob(town)
        before.extend(changes(town))

    with pytest.raises(EndpointLocked, match=r"not locked by this process any more .* by Eve in entry \d+") as stopped:
        run(once_locked(town, robbed))
    assert stopped.value.exit_code == 14
    assert changes(town) == before


def in_the_middle(town: Town, run: Run, count: int, disturb: Callable[[], object], kind: type[MlgatesError]) -> str:
    """Disturb a run that holds the lock after so many events: then it is `stopped`, or has `ended` before.

    One that does not hold the lock by then is `killed`.
    """
    disturbed: list[int] = []

    def act() -> None:
        if not is_locked(town):
            kill()
        for thread in threading.enumerate():
            if thread.name in {"online", "batch"}:  # what goes on side by side has come to its end
                thread.join()
        disturb()
        disturbed.append(count)

    try:
        run(after(count, act))
    except Killed:
        return "killed"
    except kind:
        assert disturbed
        return "stopped"
    assert not disturbed
    return "ended"


def at_each_fact(town: Town, rob: Callable[[], None], kind: type[MlgatesError]) -> int:
    """Release again and again, robbed three facts later each time; return how often it was stopped."""
    stopped = 0
    run = first_release(town)
    for count in range(1, 60, 3):
        before: list[Any] = []

        def robbed(before: list[Any] = before) -> None:
            rob()
            before.extend(changes(town))

        end = in_the_middle(town, run, count, robbed, kind)
        if end == "ended":
            break
        if end == "stopped":
            stopped += 1
            assert changes(town) == before
            free_lock(town.context().ledger, ENDPOINT, by="Eve", reason="gave it back")
    return stopped


def test_at_whichever_step_the_lock_is_lost_the_release_stops(town: Town) -> None:
    first_release(town)(Silent())
    assert at_each_fact(town, lambda: lose(town), EndpointLocked) > 5
    assert town.traffic == {"2": 100}


def test_what_another_process_holds_is_not_freed_by_the_one_that_lost_it(town: Town) -> None:
    run = second_release(town)
    with pytest.raises(EndpointLocked):
        run(once_locked(town, lambda: lose(town)))
    held = lock_of(town.context().ledger.entries(), ENDPOINT)
    assert held is not None
    assert held.by == THIEF.name


def interrupted(town: Town, count: int, disturb: Callable[[str], None], kind: type[MlgatesError]) -> bool:
    """Release a new version, disturbed after so many facts; return whether it had not come to its end by then."""
    version = town.approved()
    run = partial(release, town.context(), version)
    end = in_the_middle(town, lambda progress: run(progress=progress), count, lambda: disturb(version), kind)
    return end == "stopped" or (end == "killed" and ("released", version) not in town.decisions())


def test_whenever_the_ledger_breaks_everything_goes_back_to_what_serves_by_right(town: Town) -> None:
    first_release(town)(Silent())
    data, count = town.workspace.data, 0
    held: list[Any] = []

    def cut(_: str) -> None:
        held.append(data.get("classifier-ledger", str(town.context().ledger.entries()[-1].number)))
        data.delete("classifier-ledger", held[-1].version)

    while interrupted(town, count := count + 4, cut, LedgerBroken):
        assert (town.traffic, town.batch) == ({"1": 100}, "1")
        while held:
            data.create_or_update(held.pop())
        if lock_of(town.context().ledger.entries(), ENDPOINT):
            free_lock(town.context().ledger, ENDPOINT, by="Ann", reason="the ledger is whole again")
    assert count >= 20


@pytest.mark.parametrize("first", [True, False])
def test_a_version_that_is_rejected_while_it_is_released_goes_no_further(town: Town, first: bool) -> None:
    if not first:
        first_release(town)(Silent())
    serves, count = ({} if first else {"1": 100}), 0
    reject = lambda version: town.write(Action.REJECTED, version)  # noqa: E731
    while interrupted(town, count := count + 4, reject, NotAllowed):
        if (ENDPOINT,) in town.workspace.online_endpoints.held:
            assert town.traffic == serves
        if not first:
            assert town.batch == "1"
        assert lock_of(town.context().ledger.entries(), ENDPOINT) is None
    assert count > 15


def test_a_release_stops_when_the_ledger_is_tampered_with_on_its_way(town: Town) -> None:
    run = second_release(town)

    def cut() -> None:
        town.workspace.data.delete("classifier-ledger", str(town.context().ledger.entries()[-1].number))

    with pytest.raises(LedgerBroken, match="what was written is gone"):
        run(once_locked(town, cut))
    assert town.traffic == {"1": 100}
