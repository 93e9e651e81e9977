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
from tests.unit.mlgates.progress_listener import Killed, ProgressListener, after, kill
from tests.unit.mlgates.release.conftest import ENDPOINT, FakeSite
from tests.unit.mlgates.release.test_blue_green import later

Run: TypeAlias = Callable[[Progress], object]
THIEF = Owner(name="Eve@desk", id="eve")


def lose(site: FakeSite) -> None:
    """Break the lock, and take it for somebody else, as a person who thinks the process dead would."""
    ledger = site.context().ledger
    free_lock(ledger, ENDPOINT, by="Eve", reason="thought to be dead")
    take_lock(ledger, ENDPOINT, "classifier:9", THIEF, reason=RELEASE)


def break_it(site: FakeSite) -> None:
    free_lock(site.context().ledger, ENDPOINT, by="Eve", reason="thought to be dead")


def changes(site: FakeSite) -> list[Any]:
    """All that was asked of endpoints and deployments, and the entries."""
    workspace = site.workspace
    groups = (workspace.online_endpoints, workspace.online_deployments, workspace.batch_endpoints)
    asked = [len(group.asked) for group in (*groups, workspace.batch_deployments)]
    return [
        asked,
        sorted(workspace.online_deployments.held),
        [entry.number for entry in site.context().ledger.entries()],
    ]


def first_release(site: FakeSite) -> Run:
    version = site.approved()
    return lambda progress: release(site.context(), version, progress=progress)


def second_release(site: FakeSite) -> Run:
    first_release(site)(Silent())
    return first_release(site)


def return_to_the_first(site: FakeSite) -> Run:
    second_release(site)(Silent())
    return lambda progress: rollback(site.context(), progress=progress)


def return_by_deploying(site: FakeSite) -> Run:
    run = return_to_the_first(site)
    site.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    site.workspace.batch_deployments.begin_delete("blue", "batch-local")
    return run


def take_away(site: FakeSite) -> Run:
    second_release(site)(Silent())
    return lambda progress: tidy(later(site, 1000), progress=progress)


def is_locked(site: FakeSite) -> bool:
    return lock_of(site.context().ledger.entries(), ENDPOINT) is not None


def once_locked(site: FakeSite, act: Callable[[], object]) -> Progress:
    """Do something as soon as the lock is taken."""
    done: list[Event] = []

    def hear(event: Event) -> None:
        if not done and is_locked(site):
            done.append(event)
            act()

    return ProgressListener(hear)


@pytest.mark.parametrize("rob", [lose, break_it])
@pytest.mark.parametrize("begin", [first_release, second_release, return_to_the_first, return_by_deploying, take_away])
def test_whenever_the_lock_is_lost_nothing_more_is_changed(
    site: FakeSite,
    begin: Callable[[FakeSite], Run],
    rob: Callable[[FakeSite], None],
) -> None:
    run, before = begin(site), list[Any]()

    def robbed() -> None:
        rob(site)
        before.extend(changes(site))

    with pytest.raises(EndpointLocked, match=r"not locked by this process any more .* by Eve in entry \d+") as stopped:
        run(once_locked(site, robbed))
    assert stopped.value.exit_code == 14
    assert changes(site) == before


def in_the_middle(site: FakeSite, run: Run, count: int, disturb: Callable[[], object], kind: type[MlgatesError]) -> str:
    """Disturb a run that holds the lock after so many events: then it is `stopped`, or has `ended` before.

    One that does not hold the lock by then is `killed`.
    """
    disturbed: list[int] = []

    def act() -> None:
        if not is_locked(site):
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


def at_each_fact(site: FakeSite, rob: Callable[[], None], kind: type[MlgatesError]) -> int:
    """Release again and again, robbed three facts later each time; return how often it was stopped."""
    stopped = 0
    run = first_release(site)
    for count in range(1, 60, 3):
        before: list[Any] = []

        def robbed(before: list[Any] = before) -> None:
            rob()
            before.extend(changes(site))

        end = in_the_middle(site, run, count, robbed, kind)
        if end == "ended":
            break
        if end == "stopped":
            stopped += 1
            assert changes(site) == before
            free_lock(site.context().ledger, ENDPOINT, by="Eve", reason="gave it back")
    return stopped


def test_at_whichever_step_the_lock_is_lost_the_release_stops(site: FakeSite) -> None:
    first_release(site)(Silent())
    assert at_each_fact(site, lambda: lose(site), EndpointLocked) > 5
    assert site.traffic == {"2": 100}


def test_what_another_process_holds_is_not_freed_by_the_one_that_lost_it(site: FakeSite) -> None:
    run = second_release(site)
    with pytest.raises(EndpointLocked):
        run(once_locked(site, lambda: lose(site)))
    held = lock_of(site.context().ledger.entries(), ENDPOINT)
    assert held is not None
    assert held.by == THIEF.name


def interrupted(site: FakeSite, count: int, disturb: Callable[[str], None], kind: type[MlgatesError]) -> bool:
    """Release a new version, disturbed after so many facts; return whether it had not come to its end by then."""
    version = site.approved()
    run = partial(release, site.context(), version)
    end = in_the_middle(site, lambda progress: run(progress=progress), count, lambda: disturb(version), kind)
    return end == "stopped" or (end == "killed" and ("released", version) not in site.decisions())


def test_whenever_the_ledger_breaks_everything_goes_back_to_what_serves_by_right(site: FakeSite) -> None:
    first_release(site)(Silent())
    data, count = site.workspace.data, 0
    held: list[Any] = []

    def cut(_: str) -> None:
        held.append(data.get("classifier-ledger", str(site.context().ledger.entries()[-1].number)))
        data.delete("classifier-ledger", held[-1].version)

    while interrupted(site, count := count + 4, cut, LedgerBroken):
        assert (site.traffic, site.batch) == ({"1": 100}, "1")
        while held:
            data.create_or_update(held.pop())
        if lock_of(site.context().ledger.entries(), ENDPOINT):
            free_lock(site.context().ledger, ENDPOINT, by="Ann", reason="the ledger is whole again")
    assert count >= 20


@pytest.mark.parametrize("first", [True, False])
def test_a_version_that_is_rejected_while_it_is_released_goes_no_further(site: FakeSite, first: bool) -> None:
    if not first:
        first_release(site)(Silent())
    serves, count = ({} if first else {"1": 100}), 0
    reject = lambda version: site.write(Action.REJECTED, version)  # noqa: E731
    while interrupted(site, count := count + 4, reject, NotAllowed):
        if (ENDPOINT,) in site.workspace.online_endpoints.held:
            assert site.traffic == serves
        if not first:
            assert site.batch == "1"
        assert lock_of(site.context().ledger.entries(), ENDPOINT) is None
    assert count > 15


def test_a_release_stops_when_the_ledger_is_tampered_with_on_its_way(site: FakeSite) -> None:
    run = second_release(site)

    def cut() -> None:
        site.workspace.data.delete("classifier-ledger", str(site.context().ledger.entries()[-1].number))

    with pytest.raises(LedgerBroken, match="what was written is gone"):
        run(once_locked(site, cut))
    assert site.traffic == {"1": 100}
