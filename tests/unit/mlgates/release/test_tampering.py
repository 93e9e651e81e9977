"""Whoever may write data assets tries to get a rejected version into production."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mlgates.core.errors import ConfigurationError, LedgerBroken, MlgatesError, NotAllowed
from mlgates.core.ledger import Action, Draft, lock_of
from mlgates.core.progress import Silent
from mlgates.delivery.workspace_ledger import Ledger
from mlgates.release import ledger_repair
from mlgates.release.approval import decide
from mlgates.release.blue_green import tidy
from mlgates.release.locking import RELEASE, free_lock, take_lock
from mlgates.release.releasing import release
from mlgates.release.rollback import rollback
from tests.unit.mlgates.release.conftest import ENDPOINT, FakeSite

NAME = "classifier-ledger"


@pytest.fixture(autouse=True)
def _no_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlgates.delivery.workspace_ledger.tagged_runs", lambda *_: {})


@pytest.fixture
def rejected(site: FakeSite) -> str:
    """A version that was approved, and then rejected, beside one that serves."""
    release(site.context(), site.approved(), progress=Silent())
    version = site.approved()
    site.write(Action.REJECTED, version)
    return version


def last(site: FakeSite) -> str:
    return str(max(int(each.version) for each in site.workspace.data._versions[NAME]))


def delete_last(site: FakeSite) -> None:
    site.workspace.data.delete(NAME, last(site))


def archive_last(site: FakeSite) -> None:
    site.workspace.data.archive(NAME, last(site))


def delete_all(site: FakeSite) -> None:
    for number in range(1, int(last(site)) + 1):
        site.workspace.data.delete(NAME, str(number))


def _written_anew(site: FakeSite, keep: Callable[[Any], bool]) -> None:
    """Write a consistent chain of the entries to `keep` in place of the ledger."""
    drafts = [entry for entry in site.context().ledger.entries() if keep(entry)]
    delete_all(site)
    bare = Ledger(site.client, "classifier")
    entries: list[Any] = []
    for draft in drafts:
        fields = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
        entries.append(bare.repairing(entries, Draft(**fields), number=len(entries) + 1))


def rewrite(site: FakeSite) -> None:
    _written_anew(site, lambda entry: entry.action is not Action.REJECTED)


def rewrite_as_long(site: FakeSite) -> None:
    """As before, with as many entries as there were."""
    length = int(last(site))
    rewrite(site)
    ledger = Ledger(site.client, "classifier")
    while int(last(site)) < length:
        draft = Draft(action=Action.APPROVED, by="Eve", model="classifier:1")
        ledger.repairing(ledger.read().entries, draft, number=int(last(site)) + 1)


def copy_of_another(site: FakeSite) -> None:
    """Take the rejection away, and put an entry of another model's ledger in its place."""
    number = last(site)
    other = Ledger(site.client, "other")
    foreign = other.repairing(
        site.context().ledger.entries()[:-1],
        Draft(action=Action.APPROVED, by="Ann", model="classifier:2"),
        number=int(number),
    )
    site.workspace.data.delete(NAME, number)
    held = site.workspace.data.get("other-ledger", str(foreign.number))
    site.workspace.data.create_or_update(
        SimpleNamespace(name=NAME, version=number, path=held.path, tags=dict(held.tags))
    )


BREAKING = [delete_last, delete_all, rewrite, rewrite_as_long, copy_of_another]


def decided(site: FakeSite, model: str, action: Action) -> None:
    decision = Draft(action=action, by="Eve", model=model, reason="so")
    decide(site.client, site.settings, decision, progress=Silent())


def decisions(site: FakeSite) -> list[Callable[[], object]]:
    """Everything that is decided on a ledger."""
    context = site.context()
    return [
        lambda: decided(site, "classifier:2", Action.APPROVED),
        lambda: decided(site, "classifier:1", Action.REJECTED),
        lambda: release(context, "2", progress=Silent()),
        lambda: rollback(context, progress=Silent()),
        lambda: tidy(context, progress=Silent()),
        lambda: free_lock(context.ledger, ENDPOINT, by="Eve", reason="mine"),
        lambda: take_lock(context.ledger, ENDPOINT, "classifier:2", context.owner, reason=RELEASE),
    ]


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize("tamper", BREAKING)
def test_nothing_is_decided_on_a_ledger_that_was_tampered_with(
    site: FakeSite, tamper: Callable[[FakeSite], None]
) -> None:
    tamper(site)
    for attempt in decisions(site):
        with pytest.raises(LedgerBroken, match="mlgates ledger repair"):
            attempt()
    assert site.traffic == {"1": 100}


def test_a_rejection_that_is_archived_counts_and_appending_goes_on(site: FakeSite, rejected: str) -> None:
    archive_last(site)
    with pytest.raises(NotAllowed, match="was rejected by Ann"):
        release(site.context(), rejected, progress=Silent())
    site.write(Action.APPROVED, "1")
    assert site.context().ledger.read().fault is None
    assert ledger_repair.look(site.client, site.settings).archived == (str(int(last(site)) - 1),)


def test_a_place_that_is_taken_by_what_no_list_shows_ends_the_attempts(site: FakeSite, rejected: str) -> None:
    ledger = Ledger(site.client, "classifier", ENDPOINT, pause=lambda _: None)
    hidden = str(int(last(site)) + 1)
    site.workspace.data.create_or_update(SimpleNamespace(name=NAME, version=hidden, path="entry-x.json", tags={}))
    versions = site.workspace.data.list
    site.workspace.data.list = lambda **how: (each for each in versions(**how) if each.version != hidden)  # type: ignore[method-assign]
    with pytest.raises(LedgerBroken, match=f"entry {hidden} is there, and the workspace does not list it"):
        ledger.append(lambda _: Draft(action=Action.APPROVED, by="Ann", model="classifier:1"))


def test_a_list_that_is_late_is_no_damage(site: FakeSite, rejected: str) -> None:
    versions, newest = site.workspace.data.list, last(site)
    site.workspace.data.list = lambda **how: (each for each in versions(**how) if each.version != newest)  # type: ignore[method-assign]
    assert site.context().ledger.entries()[-1].number == int(newest)


@pytest.mark.parametrize("tamper", [delete_last, delete_all, rewrite, rewrite_as_long])
def test_before_the_first_release_the_version_itself_counts(site: FakeSite, tamper: Callable[[FakeSite], None]) -> None:
    site.register()
    version = site.approved()
    site.write(Action.REJECTED, version)
    tamper(site)
    with pytest.raises(LedgerBroken):
        release(site.context(), version, progress=Silent())


def test_another_ledger_as_a_whole_is_no_ledger_of_this_model(site: FakeSite) -> None:
    version = site.register()
    other = Ledger(site.client, "other")
    entry = other.append(lambda _: Draft(action=Action.APPROVED, by="Ann", model=f"classifier:{version}"))
    held = site.workspace.data.get("other-ledger", "1")
    site.workspace.data.create_or_update(SimpleNamespace(name=NAME, version="1", path=held.path, tags=dict(held.tags)))
    assert site.context().ledger.read().fault == (
        "entry 1 was written for ledger other-ledger of workspace sub/rg/ws: "
        "this is ledger classifier-ledger of workspace sub/rg/ws"
    )
    assert entry.number == 1


def test_a_forged_repair_does_not_take_a_rejection_away(site: FakeSite, rejected: str) -> None:
    entries = site.context().ledger.entries()
    Ledger(site.client, "classifier").repairing(
        entries[:-1],
        Draft(action=Action.REPAIRED, by="Eve", model="classifier", facts={"left out": last(site)}),
        number=int(last(site)) + 1,
    )
    assert str(site.context().ledger.read().fault).startswith(f"entry {len(entries)} is not the one that ")


def test_an_endpoint_that_is_deployed_to_again_keeps_its_anchor(site: FakeSite, rejected: str) -> None:
    from mlgates.core.values import EndpointKind  # noqa: PLC0415
    from mlgates.delivery.endpoints import deploy  # noqa: PLC0415

    endpoint = site.workspace.online_endpoints.held[ENDPOINT,]
    endpoint.tags["content_sha256"] = "another"  # as if its declaration had changed
    deploy(site.client, site.settings, [EndpointKind.ONLINE], version="1", smoke_test=False, progress=Silent())
    tags = site.workspace.online_endpoints.held[ENDPOINT,].tags
    assert tags["ledger.head"].startswith(f"{last(site)} ")


def repaired(site: FakeSite) -> None:
    ledger_repair.repair(site.client, site.settings, by="Ann", reason="somebody cleaned up")


@pytest.mark.parametrize("tamper", BREAKING)
def test_after_a_repair_the_rejected_version_stays_out(
    site: FakeSite, rejected: str, tamper: Callable[[FakeSite], None]
) -> None:
    tamper(site)
    repaired(site)
    assert site.context().ledger.read().faults == ()
    with pytest.raises(NotAllowed, match="was rejected"):
        release(site.context(), rejected, progress=Silent())
    with pytest.raises(NotAllowed, match="was rejected"):
        decided(site, f"classifier:{rejected}", Action.APPROVED)


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize("tamper", BREAKING)
def test_after_a_repair_approvals_are_given_again(site: FakeSite, tamper: Callable[[FakeSite], None]) -> None:
    third = site.approved()
    tamper(site)
    repaired(site)
    with pytest.raises(NotAllowed, match="is not approved since the ledger was repaired"):
        release(site.context(), third, progress=Silent())
    site.write(Action.APPROVED, third)
    release(site.context(), third, progress=Silent())
    assert site.traffic == {third: 100}
    assert site.context().ledger.read().faults == ()


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize("tamper", BREAKING)
def test_a_repair_that_is_killed_anywhere_is_done_again(
    site: FakeSite, tamper: Callable[[FakeSite], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(site)
    calls = 0
    while True:
        calls += 1
        left = [calls]

        def dying(of: Callable[..., Any], left: list[int] = left) -> Callable[..., Any]:
            def call(*words: Any, **more: Any) -> Any:
                left[0] -= 1
                if not left[0]:
                    raise KeyboardInterrupt
                return of(*words, **more)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(site.workspace.data, "create_or_update", dying(site.workspace.data.create_or_update))
            patch.setattr(site.workspace.models, "create_or_update", dying(site.workspace.models.create_or_update))
            operation = site.workspace.online_endpoints._online_operation
            patch.setattr(operation, "begin_update", dying(operation.begin_update))
            try:
                repaired(site)
                break
            except KeyboardInterrupt:
                continue
            except ConfigurationError:
                break  # all but the end was done
    assert calls > 2
    assert site.context().ledger.read().faults == ()
    with pytest.raises(NotAllowed, match="was rejected"):
        release(site.context(), "2", progress=Silent())


def test_a_repair_renews_the_anchor_of_a_run_whose_model_was_registered_since(
    site: FakeSite, rejected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {"sunny": {"ledger.head": f"{last(site)} {'0' * 64}"}}
    monkeypatch.setattr("mlgates.delivery.workspace_ledger.tagged_runs", lambda *_: runs)
    monkeypatch.setattr("mlgates.delivery.models.tag_run", lambda _, run, tags: runs[run].update(tags))
    site.workspace.models.get("classifier", rejected).tags["job"] = "sunny"
    assert ledger_repair.look(site.client, site.settings).reading.faults
    repaired(site)
    assert ledger_repair.look(site.client, site.settings).reading.faults == ()


def test_a_whole_ledger_is_not_repaired(site: FakeSite, rejected: str) -> None:
    with pytest.raises(ConfigurationError, match="is whole"):
        repaired(site)


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize("missing", ["by", "reason"])
def test_a_repair_has_an_author_and_a_reason(site: FakeSite, missing: str) -> None:
    delete_last(site)
    fields = {"by": "Ann", "reason": "why", missing: " "}
    with pytest.raises(ConfigurationError, match=f"--{missing} is empty"):
        ledger_repair.repair(site.client, site.settings, **fields)


def test_what_a_killed_writer_left_without_an_anchor_is_anchored_by_the_next(site: FakeSite, rejected: str) -> None:
    ledger = site.context().ledger
    entries = ledger.entries()
    # It came as far as the entry.
    ledger.repairing(
        entries, Draft(action=Action.REJECTED, by="Ann", model="classifier:1", sha256="c0ffee"), number=len(entries) + 1
    )
    assert site.context().ledger.read().faults == ()
    site.approved()
    tags = site.workspace.models.get("classifier", "1").tags
    assert (tags["ledger.rejected"], tags["ledger.head"][:2]) == ("c0ffee", f"{len(entries) + 1} "[:2])


def test_while_an_endpoint_is_locked_a_decision_leaves_it_alone(site: FakeSite, rejected: str) -> None:
    context = site.context()
    take_lock(context.ledger, ENDPOINT, "classifier:1", context.owner, reason=RELEASE)
    before = dict(site.workspace.online_endpoints.held[ENDPOINT,].tags)
    site.approved()
    assert site.workspace.online_endpoints.held[ENDPOINT,].tags == before
    free_lock(site.context().ledger, ENDPOINT, by="Ann", reason="done")
    assert lock_of(site.context().ledger.entries(), ENDPOINT) is None
    assert site.workspace.online_endpoints.held[ENDPOINT,].tags["ledger.head"].startswith(last(site))


@pytest.mark.usefixtures("rejected")
def test_every_refusal_of_a_broken_ledger_has_its_exit_code(site: FakeSite) -> None:
    delete_last(site)
    for attempt in decisions(site):
        with pytest.raises(MlgatesError) as refused:
            attempt()
        assert refused.value.exit_code == 16
