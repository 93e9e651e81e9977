"""Releases on a real local workspace: where the traffic goes, and what becomes of one that is killed or fails."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mlgates.core.errors import CanaryFailed, EndpointLocked
from mlgates.core.ledger import Action, Draft
from mlgates.core.progress import Event, Silent, StepFinished, StepNoted
from mlgates.core.values import Released
from mlgates.release.locking import Owner
from tests.contract.amlocal.online_site import QUIET
from tests.contract.mlgates.release_site import Callers, ReleaseSite, Stopped, release_site
from tests.unit.mlgates.progress_listener import ProgressListener, when

pytestmark = [*QUIET, pytest.mark.xdist_group("release")]

# Killed once each of these has ended, and in the middle of a step that is watched.
STEPS = (
    "lock",
    "online endpoint",
    "online deployment",
    "deployed content",
    "smoke test",
    "canary 10 %",
    "canary 50 %",
    "canary 100 %",
    "batch default",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseSite]:
    with release_site(tmp_path_factory.mktemp("release")) as site:
        yield site


@pytest.fixture(scope="module")
def served(site: ReleaseSite) -> str:
    """The version that was released before any test; each test leaves it serving."""
    version = site.approved()
    released(site, version)
    return version


@pytest.fixture
def candidate(site: ReleaseSite, served: str) -> Iterator[str]:
    """An approved version; what the test has made of it is rolled back."""
    version = site.candidate()
    yield version
    site.mood(version)
    if site.traffic() != {served: 100}:
        rolled_back(site)


@pytest.fixture
def another(site: ReleaseSite, served: str) -> Iterator[str]:
    """An approved version that no test has deployed yet."""
    yield site.approved()
    if site.traffic() != {served: 100}:
        rolled_back(site)


def released(site: ReleaseSite, version: str, meanwhile: Callable[[Event], None] = lambda _: None) -> Released:
    """Release a version; `meanwhile` hears every event."""
    from mlgates.release.releasing import release  # noqa: PLC0415 - brings in azure-ai-ml

    return release(site.context(), version, progress=ProgressListener(meanwhile))


def rolled_back(site: ReleaseSite) -> Released:
    from mlgates.release.rollback import rollback  # noqa: PLC0415

    return rollback(site.context(), progress=Silent())


def stop() -> None:
    raise Stopped


def test_a_release_goes_out_back_and_forward(site: ReleaseSite, served: str, candidate: str) -> None:
    seen = []
    for _ in range(2):
        released(site, candidate)
        seen.append((site.traffic(), site.batch_version()))
        rolled_back(site)
        seen.append((site.traffic(), site.batch_version()))
    new, old = ({candidate: 100}, candidate), ({served: 100}, served)
    assert seen == [new, old, new, old]


def test_a_release_that_is_killed_at_each_of_its_steps_and_run_again_has_released(
    site: ReleaseSite, another: str
) -> None:
    for step in STEPS:
        with pytest.raises(Stopped):
            released(site, another, when(StepFinished, step, stop))
    with pytest.raises(Stopped):
        released(site, another, when(StepNoted, "canary 100 %", stop))
    done = released(site, another)
    assert (site.traffic(), site.batch_version(), done.changed) == ({another: 100}, another, True)


def test_a_canary_that_starts_to_fail_at_10_percent_is_rolled_back_by_itself_and_no_request_is_lost(
    site: ReleaseSite, served: str, candidate: str
) -> None:
    spoil = when(StepNoted, "canary 10 %", lambda: site.mood(candidate, "fails"))
    with Callers(site.address()) as callers:
        callers.wait_for(20)
        before = callers.snapshot()
        with pytest.raises(CanaryFailed, match=r"withdrawn at canary (10|50) %: \d+ of \d+ requests failed"):
            released(site, candidate, spoil)
        callers.wait_for(20)
        after = callers.snapshot()
        callers.wait_for(20)
    old, new = site.name_of(served), site.name_of(candidate)
    assert set(before) == {(old, 200)}
    assert callers.unanswered == 0
    # The old version answered every request that came to it; what failed had come to the new one, on its way.
    assert set(after) <= {(old, 200), (new, 200), (new, 424)}
    assert callers.counts[new, 200] + callers.counts[new, 424] == after[new, 200] + after[new, 424]
    assert (site.traffic(), site.batch_version(), site.tag(candidate)) == ({served: 100}, served, "withdrawn")


def test_a_canary_whose_first_request_fails_is_watched_to_its_end_beside_a_fresh_baseline(
    site: ReleaseSite, served: str, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = site.declared.limits.model_copy(update={"max_error_rate": 0.02})
    canary = site.declared.canary.model_copy(update={"baseline": True, "steps": (10, 100)})
    monkeypatch.setattr(site, "declared", site.declared.model_copy(update={"limits": limits, "canary": canary}))
    summaries, shares = {}, []

    def hear(event: Event) -> None:
        if isinstance(event, StepFinished):
            summaries[event.step.name] = event.summary
            if event.step.name == "baseline":
                site.mood(candidate, "trips")
        if isinstance(event, StepNoted) and event.step.name == "canary 10 %":
            shares.append(site.shares())

    released(site, candidate, hear)
    requests, errors = (int(part.split()[0]) for part in summaries["canary 10 %"].split(", ")[:2])
    assert (errors, requests >= 50) == (1, True)
    assert shares[-1] == {site.name_of(served): 80, site.name_of(candidate): 10, "canary-baseline": 10}
    assert site.shares() == {site.name_of(candidate): 100}
    assert "canary-baseline" not in {
        each.name for each in site.client.online_deployments.list(site.settings.online_endpoint)
    }


@pytest.mark.parametrize(
    ("mood", "message"), [("wrong", "predictions differ"), ("slow", "its median answer takes"), ("silent", "failed")]
)
def test_a_candidate_that_answers_wrongly_slowly_or_not_at_all_loses_its_traffic(
    site: ReleaseSite, served: str, candidate: str, mood: str, message: str
) -> None:
    spoil = when(StepFinished, "smoke test", lambda: site.mood(candidate, mood))
    with pytest.raises(CanaryFailed, match=message):
        released(site, candidate, spoil)
    assert (site.traffic(), site.batch_version()) == ({served: 100}, served)


def test_two_releases_of_one_endpoint_at_once_are_refused_until_the_lock_is_broken(
    site: ReleaseSite, served: str, candidate: str
) -> None:
    from mlgates.release.locking import RELEASE, free_lock, take_lock  # noqa: PLC0415

    ledger, endpoint = site.context().ledger, site.settings.online_endpoint
    take_lock(ledger, endpoint, f"moody:{candidate}", Owner(name="Bob@desk", id="desk", process=7), reason=RELEASE)
    with pytest.raises(EndpointLocked, match=rf"locked by Bob@desk \(release of moody:{candidate}\) since \d+ s"):
        released(site, candidate)
    assert site.traffic() == {served: 100}
    free_lock(ledger, endpoint, by="Ann", reason="Bob's machine is gone")
    released(site, candidate)
    assert site.traffic() == {candidate: 100}


def test_the_ledger_has_it_all_in_an_unbroken_chain(site: ReleaseSite, candidate: str) -> None:
    before = len(site.context().ledger.entries())
    released(site, candidate)
    reading = site.context().ledger.read()
    entries = [(str(entry.action), entry.model) for entry in reading.entries[before:]]
    assert (entries, reading.fault) == ([("locked", f"moody:{candidate}"), ("released", f"moody:{candidate}")], None)


def test_writers_at_the_same_time_each_find_a_place(site: ReleaseSite) -> None:
    from mlgates.delivery.workspace_ledger import Ledger  # noqa: PLC0415

    def write(name: str) -> None:
        draft = Draft(action=Action.APPROVED, by=name, model="raced:1")
        Ledger(site.client, "raced").append(lambda _: draft)

    names = ("Ann", "Bob", "Eve")
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(write, names))
    reading = Ledger(site.client, "raced").read()
    assert (sorted(entry.by for entry in reading.entries), reading.fault) == (sorted(names), None)
