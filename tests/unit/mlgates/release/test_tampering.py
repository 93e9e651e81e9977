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
from tests.unit.mlgates.release.conftest import ENDPOINT, Town

NAME = "classifier-ledger"


@pytest.fixture(autouse=True)
def _no_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlgates.delivery.workspace_ledger.tagged_runs", lambda *_: {})


@pytest.fixture
def rejected(town: Town) -> str:
    """A version that was approved, and then rejected, beside one that serves."""
    release(town.context(), town.approved(), progress=Silent())
    version = town.approved()
    town.write(Action.REJECTED, version)
    return version


def last(town: Town) -> str:
    return str(max(int(each.version) for each in town.workspace.data._versions[NAME]))


def delete_last(town: Town) -> None:
    town.workspace.data.delete(NAME, last(town))


def archive_last(town: Town) -> None:
    town.workspace.data.archive(NAME, last(town))


def delete_all(town: Town) -> None:
    for number in range(1, int(last(town)) + 1):
        town.workspace.data.delete(NAME, str(number))


def _written_anew(town: Town, keep: Callable[[Any], bool]) -> None:
    """Write a consistent chain of the entries to `keep` in place of the ledger."""
    drafts = [entry for entry in town.context().ledger.entries() if keep(entry)]
    delete_all(town)
    bare = Ledger(town.client, "classifier")
    entries: list[Any] = []
    for draft in drafts:
        fields = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
        entries.append(bare.repairing(entries, Draft(**fields), number=len(entries) + 1))


def rewrite(town: Town) -> None:
    _written_anew(town, lambda entry: entry.action is not Action.REJECTED)


def rewrite_as_long(town: Town) -> None:
    """As before, with as many entries as there were."""
    length = int(last(town))
    rewrite(town)
    ledger = Ledger(town.client, "classifier")
    while int(last(town)) < length:
        draft = Draft(action=Action.APPROVED, by="Eve", model="classifier:1")
        ledger.repairing(ledger.read().entries, draft, number=int(last(town)) + 1)


def copy_of_another(town: Town) -> None:
    """Take the rejection away, and put an entry of another model's ledger in its place."""
    number = last(town)
    other = Ledger(town.client, "other")
    foreign = other.repairing(
        town.context().ledger.entries()[:-1],
        Draft(action=Action.APPROVED, by="Ann", model="classifier:2"),
        number=int(number),
    )
    town.workspace.data.delete(NAME, number)
    held = town.workspace.data.get("other-ledger", str(foreign.number))
    town.workspace.data.create_or_update(
        SimpleNamespace(name=NAME, version=number, path=held.path, tags=dict(held.tags))
    )


BREAKING = [delete_last, delete_all, rewrite, rewrite_as_long, copy_of_another]


def decided(town: Town, model: str, action: Action) -> None:
    decision = Draft(action=action, by="Eve", model=model, reason="so")
    decide(town.client, town.settings, decision, progress=Silent())


def decisions(town: Town) -> list[Callable[[], object]]:
    """Everything that is decided on a ledger."""
    context = town.context()
    return [
        lambda: decided(town, "classifier:2", Action.APPROVED),
        lambda: decided(town, "classifier:1", Action.REJECTED),
        lambda: release(context, "2", progress=Silent()),
        lambda: rollback(context, progress=Silent()),
        lambda: tidy(context, progress=Silent()),
        lambda: free_lock(context.ledger, ENDPOINT, by="Eve", reason="mine"),
        lambda: take_lock(context.ledger, ENDPOINT, "classifier:2", context.owner, reason=RELEASE),
    ]


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize("tamper", BREAKING)
def test_nothing_is_decided_on_a_ledger_that_was_tampered_with(town: Town, tamper: Callable[[Town], None]) -> None:
    tamper(town)
    for attempt in decisions(town):
        with pytest.raises(LedgerBroken, match="mlgates ledger repair"):
            attempt()
    assert town.traffic == {"1": 100}


def test_a_rejection_that_is_archived_counts_and_appending_goes_on(town: Town, rejected: str) -> None:
    archive_last(town)
    with pytest.raises(NotAllowed, match="was rejected by Ann"):
        release(town.context(), rejected, progress=Silent())
    town.write(Action.APPROVED, "1")
    assert town.context().ledger.read().fault is None
    assert ledger_repair.look(town.client, town.settings).archived == (str(int(last(town)) - 1),)


def test_a_place_that_is_taken_by_what_no_list_shows_ends_the_attempts(town: Town, rejected: str) -> None:
    ledger = Ledger(town.client, "classifier", ENDPOINT, pause=lambda _: None)
    hidden = str(int(last(town)) + 1)
    town.workspace.data.create_or_update(SimpleNamespace(name=NAME, version=hidden, path="entry-x.json", tags={}))
    versions = town.workspace.data.list
    town.workspace.data.list = lambda **how: (each for each in versions(**how) if each.version != hidden)  # type: ignore[method-assign]
    with pytest.raises(LedgerBroken, match=f"entry {hidden} is there, and the workspace does not list it"):
        ledger.append(lambda _: Draft(action=Action.APPROVED, by="Ann", model="classifier:1"))


def test_a_list_that_is_late_is_no_damage(town: Town, rejected: str) -> None:
    versions, newest = town.workspace.data.list, last(town)
    town.workspace.data.list = lambda **how: (each for each in versions(**how) if each.version != newest)  # type: ignore[method-assign]
    assert town.context().ledger.entries()[-1].number == int(newest)


@pytest.mark.parametrize("tamper", [delete_last, delete_all, rewrite, rewrite_as_long])
def test_before_the_first_release_the_version_itself_counts(town: Town, tamper: Callable[[Town], None]) -> None:
    town.register()
    version = town.approved()
    town.write(Action.REJECTED, version)
    tamper(town)
    with pytest.raises(LedgerBroken):
        release(town.context(), version, progress=Silent())


def test_another_ledger_as_a_whole_is_no_ledger_of_this_model(town: Town) -> None:
    version = town.register()
    other = Ledger(town.client, "other")
    entry = other.append(lambda _: Draft(action=Action.APPROVED, by="Ann", model=f"classifier:{version}"))
    held = town.workspace.data.get("other-ledger", "1")
    town.workspace.data.create_or_update(SimpleNamespace(name=NAME, version="1", path=held.path, tags=dict(held.tags)))
    assert town.context().ledger.read().fault == (
        "entry 1 was written for ledger other-ledger of workspace sub/rg/ws: "
        "this is ledger classifier-ledger of workspace sub/rg/ws"
    )
    assert entry.number == 1


def test_a_forged_repair_does_not_take_a_rejection_away(town: Town, rejected: str) -> None:
    entries = town.context().ledger.entries()
    Ledger(town.client, "classifier").repairing(
        entries[:-1],
        Draft(action=Action.REPAIRED, by="Eve", model="classifier", facts={"left out": last(town)}),
        number=int(last(town)) + 1,
    )
    assert str(town.context().ledger.read().fault).startswith(f"entry {len(entries)} is not the one that ")


def test_an_endpoint_that_is_deployed_to_again_keeps_its_anchor(town: Town, rejected: str) -> None:
    from mlgates.core.values import EndpointKind  # noqa: PLC0415
    from mlgates.delivery.endpoints import deploy  # noqa: PLC0415

    endpoint = town.workspace.online_endpoints.held[ENDPOINT,]
    endpoint.tags["content_sha256"] = "another"  # as if its declaration had changed
    deploy(town.client, town.settings, [EndpointKind.ONLINE], version="1", smoke_test=False, progress=Silent())
    tags = town.workspace.online_endpoints.held[ENDPOINT,].tags
    assert tags["ledger.head"].startswith(f"{last(town)} ")


def repaired(town: Town) -> None:
    ledger_repair.repair(town.client, town.settings, by="Ann", reason="somebody cleaned up")


@pytest.mark.parametrize("tamper", BREAKING)
def test_after_a_repair_the_rejected_version_stays_out(
    town: Town, rejected: str, tamper: Callable[[Town], None]
) -> None:
    tamper(town)
    repaired(town)
    assert town.context().ledger.read().faults == ()
    with pytest.raises(NotAllowed, match="was rejected"):
        release(town.context(), rejected, progress=Silent())
    with pytest.raises(NotAllowed, match="was rejected"):
        decided(town, f"classifier:{rejected}", Action.APPROVED)


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize("tamper", BREAKING)
def test_after_a_repair_approvals_are_given_again(town: Town, tamper: Callable[[Town], None]) -> None:
    third = town.approved()
    tamper(town)
    repaired(town)
    with pytest.raises(NotAllowed, match="is not approved since the ledger was repaired"):
        release(town.context(), third, progress=Silent())
    town.write(Action.APPROVED, third)
    release(town.context(), third, progress=Silent())
    assert town.traffic == {third: 100}
    assert town.context().ledger.read().faults == ()


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize("tamper", BREAKING)
def test_a_repair_that_is_killed_anywhere_is_done_again(
    town: Town, tamper: Callable[[Town], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(town)
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
            patch.setattr(town.workspace.data, "create_or_update", dying(town.workspace.data.create_or_update))
            patch.setattr(town.workspace.models, "create_or_update", dying(town.workspace.models.create_or_update))
            operation = town.workspace.online_endpoints._online_operation
            patch.setattr(operation, "begin_update", dying(operation.begin_update))
            try:
                repaired(town)
                break
            except KeyboardInterrupt:
                continue
            except ConfigurationError:
                break  # all but the end was done
    assert calls > 2
    assert town.context().ledger.read().faults == ()
    with pytest.raises(NotAllowed, match="was rejected"):
        release(town.context(), "2", progress=Silent())


def test_a_repair_renews_the_anchor_of_a_run_whose_model_was_registered_since(
    town: Town, rejected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {"sunny": {"ledger.head": f"{last(town)} {'0' * 64}"}}
    monkeypatch.setattr("mlgates.delivery.workspace_ledger.tagged_runs", lambda *_: runs)
    monkeypatch.setattr("mlgates.delivery.mlflow_runs.tag_run", lambda _, run, tags: runs[run].update(tags))
    town.workspace.models.get("classifier", rejected).tags["job"] = "sunny"
    assert ledger_repair.look(town.client, town.settings).reading.faults
    repaired(town)
    assert ledger_repair.look(town.client, town.settings).reading.faults == ()


def test_a_whole_ledger_is_not_repaired(town: Town, rejected: str) -> None:
    with pytest.raises(ConfigurationError, match="is whole"):
        repaired(town)


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize("missing", ["by", "reason"])
def test_a_repair_has_an_author_and_a_reason(town: Town, missing: str) -> None:
    delete_last(town)
    fields = {"by": "Ann", "reason": "why", missing: " "}
    with pytest.raises(ConfigurationError, match=f"--{missing} is empty"):
        ledger_repair.repair(town.client, town.settings, **fields)


def test_what_a_killed_writer_left_without_an_anchor_is_anchored_by_the_next(town: Town, rejected: str) -> None:
    ledger = town.context().ledger
    entries = ledger.entries()
    # It came as far as the entry.
    ledger.repairing(
        entries, Draft(action=Action.REJECTED, by="Ann", model="classifier:1", sha256="c0ffee"), number=len(entries) + 1
    )
    assert town.context().ledger.read().faults == ()
    town.approved()
    tags = town.workspace.models.get("classifier", "1").tags
    assert (tags["ledger.rejected"], tags["ledger.head"][:2]) == ("c0ffee", f"{len(entries) + 1} "[:2])


def test_while_an_endpoint_is_locked_a_decision_leaves_it_alone(town: Town, rejected: str) -> None:
    context = town.context()
    take_lock(context.ledger, ENDPOINT, "classifier:1", context.owner, reason=RELEASE)
    before = dict(town.workspace.online_endpoints.held[ENDPOINT,].tags)
    town.approved()
    assert town.workspace.online_endpoints.held[ENDPOINT,].tags == before
    free_lock(town.context().ledger, ENDPOINT, by="Ann", reason="done")
    assert lock_of(town.context().ledger.entries(), ENDPOINT) is None
    assert town.workspace.online_endpoints.held[ENDPOINT,].tags["ledger.head"].startswith(last(town))


@pytest.mark.usefixtures("rejected")
def test_every_refusal_of_a_broken_ledger_has_its_exit_code(town: Town) -> None:
    delete_last(town)
    for attempt in decisions(town):
        with pytest.raises(MlgatesError) as refused:
            attempt()
        assert refused.value.exit_code == 16
