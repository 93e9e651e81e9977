from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.errors import AssetMissing, ConfigurationError, NotAllowed
from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.ledger import Action, Draft, Entry, LedgerAddress, lock_of
from mlgates.core.progress import Silent
from mlgates.core.values import ModelArtifact
from mlgates.release import approval
from mlgates.release.approval import (
    check_decision,
    content_known,
    decide,
    latest_decision,
    read_artifact,
    required_approval,
    served,
)
from tests.unit.mlgates.release.conftest import FakeSite


def record(site: FakeSite, version: str, sha256: str | None = None, verdict: Verdict = Verdict.PASSED) -> GateRecord:
    return GateRecord(
        gate="prod",
        environment="local",
        workspace="mlw",
        candidate=ModelArtifact.of(
            f"classifier:{version}", sha256 or read_artifact(site.client, site.settings, version).sha256
        ),
        champion=None,
        results=(CheckResult(name="metrics.auc", verdict=verdict, reason="as asked"),),
        started="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        commit="c0ffee",
    )


@pytest.fixture
def version(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> str:
    """A version that has passed its gate."""
    version = site.register()
    kept(monkeypatch, record(site, version))
    return version


def kept(monkeypatch: pytest.MonkeyPatch, record: GateRecord | None) -> None:
    monkeypatch.setattr(approval, "read_record", lambda *_: record)


def decided(site: FakeSite, model: str, action: Action = Action.APPROVED, **given: Any) -> Entry:
    how: dict[str, Any] = {"by": "Ann", "reason": "better", **given}
    return decide(site.client, site.settings, Draft(action=action, model=model, **how), progress=Silent())


def test_an_approval_is_bound_to_content_and_gate_record(site: FakeSite, version: str) -> None:
    entry = decided(site, "classifier:1")
    assert entry.sha256 == read_artifact(site.client, site.settings, version).sha256
    assert entry.gate_record == record(site, version).sha256


@pytest.mark.usefixtures("version")
@pytest.mark.parametrize("model", ["classifier", "other:1", "classifier:"])
def test_what_is_no_version_of_the_model_cannot_be_approved(site: FakeSite, model: str) -> None:
    with pytest.raises(AssetMissing, match="name it as classifier:VERSION"):
        decided(site, model)


@pytest.mark.usefixtures("version")
def test_a_version_that_is_not_there_cannot_be_approved(site: FakeSite) -> None:
    with pytest.raises(AssetMissing, match=r"no version 9 of model classifier \(known: 1\)"):
        decided(site, "classifier:9")


@pytest.mark.usefixtures("version")
@pytest.mark.parametrize("missing", ["by", "reason"])
def test_nobody_and_no_reason_are_refused(site: FakeSite, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--{missing} is empty"):
        decided(
            site, "classifier:1", by="" if missing == "by" else "Ann", reason="  " if missing == "reason" else "better"
        )


@pytest.mark.usefixtures("version")
def test_the_same_decision_twice_is_refused(site: FakeSite) -> None:
    decided(site, "classifier:1")
    with pytest.raises(NotAllowed, match="approved already, by Ann"):
        decided(site, "classifier:1", by="Bob")


@pytest.mark.usefixtures("version")
def test_an_approval_after_a_rejection_is_refused(site: FakeSite) -> None:
    decided(site, "classifier:1", Action.REJECTED, reason="too slow")
    with pytest.raises(NotAllowed, match=r"rejected by Ann \(too slow\): train another"):
        decided(site, "classifier:1")


def test_a_version_that_did_not_pass_cannot_be_approved(site: FakeSite) -> None:
    site.register(gate="failed")
    with pytest.raises(NotAllowed, match="classifier:1 did not pass gate prod"):
        decided(site, "classifier:1")


def test_a_version_that_did_not_pass_can_be_rejected(site: FakeSite) -> None:
    site.register(gate="failed")
    assert decided(site, "classifier:1", Action.REJECTED).gate_record == ""


def test_a_version_without_its_record_cannot_be_approved(
    site: FakeSite, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(monkeypatch, None)
    with pytest.raises(NotAllowed, match="no record of a passed gate prod"):
        decided(site, "classifier:1")


def test_a_record_that_is_not_of_a_passed_gate_does_not_count(
    site: FakeSite, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(monkeypatch, record(site, version, verdict=Verdict.FAILED))
    with pytest.raises(NotAllowed, match="no record of a passed gate prod"):
        decided(site, "classifier:1")


def test_a_version_that_was_changed_since_its_gate_cannot_be_approved(
    site: FakeSite, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(monkeypatch, record(site, version, sha256="0" * 64))
    with pytest.raises(NotAllowed, match="classifier:1 has changed since gate prod"):
        decided(site, "classifier:1")


@pytest.mark.usefixtures("version")
def test_another_record_than_the_newest_cannot_be_decided_on(site: FakeSite) -> None:
    with pytest.raises(NotAllowed, match="the newest record of gate prod is"):
        decided(site, "classifier:1", gate_record="0123")


def test_the_newest_record_may_be_named_by_its_first_digits(site: FakeSite, version: str) -> None:
    named = record(site, version).sha256[:10]
    assert decided(site, "classifier:1", gate_record=named).gate_record.startswith(named)


def ledger(*decisions: tuple[Action, str] | tuple[Action, str, str]) -> list[Entry]:
    """Entries of actions about versions, with their content; all at one endpoint."""
    entries: list[Entry] = []
    for action, version, *content in decisions:
        draft = Draft(
            action=action,
            by="Ann",
            model=f"m:{version}",
            sha256=content[0] if content else f"sha-{version}",
            reason="because",
            endpoint="e",
            deployment=f"d{version}",
        )
        entries.append(
            Entry.after(
                entries, draft, at="2026-01-01T00:00:00+00:00", nonce=str(len(entries)), home=LedgerAddress("ws", "m")
            )
        )
    return entries


def models(entries: list[Entry]) -> list[str]:
    return [each.model.partition(":")[2] for each in served(entries, "e")]


def test_an_approval_of_this_content_permits() -> None:
    assert required_approval(ledger((Action.APPROVED, "1")), "m:1", "sha-1").number == 1


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "m:1 is not approved"),
        (ledger((Action.APPROVED, "2")), "m:1 is not approved"),
        (ledger((Action.REJECTED, "1")), "m:1 was rejected by Ann"),
        (ledger((Action.APPROVED, "1"), (Action.REJECTED, "1")), "m:1 was rejected"),
        (ledger((Action.APPROVED, "1"), (Action.WITHDRAWN, "1")), "m:1 was withdrawn"),
        (ledger((Action.APPROVED, "1", "other")), "m:1 has changed since Ann approved it"),
    ],
)
def test_what_is_not_approved_as_it_is_may_not_be_released(entries: list[Entry], message: str) -> None:
    with pytest.raises(NotAllowed, match=message):
        required_approval(entries, "m:1", "sha-1")


def test_the_approval_of_a_jobs_model_counts_for_the_version_that_is_registered_from_it() -> None:
    assert required_approval(ledger((Action.APPROVED, "job:x", "same")), "m:3", "same").model == "m:job:x"


def test_a_withdrawn_version_may_be_released_once_it_is_approved_again() -> None:
    entries = ledger((Action.APPROVED, "1"), (Action.WITHDRAWN, "1"), (Action.APPROVED, "1"))
    assert required_approval(entries, "m:1", "sha-1").number == 3


@pytest.mark.parametrize("action", [Action.APPROVED, Action.REJECTED])
def test_nobody_decides_twice_the_same(action: Action) -> None:
    with pytest.raises(NotAllowed, match=f"m:1 was {action} already, by Ann on 2026-01-01"):
        check_decision(ledger((action, "1")), "m:1", action)


def test_a_rejected_version_cannot_be_approved() -> None:
    with pytest.raises(NotAllowed, match="train another"):
        check_decision(ledger((Action.REJECTED, "1")), "m:1", Action.APPROVED)


@pytest.mark.parametrize("after", [Action.WITHDRAWN, Action.APPROVED, Action.REPAIRED, Action.RELEASED])
def test_a_rejection_stands_whatever_comes_after_it(after: Action) -> None:
    entries = ledger((Action.APPROVED, "1"), (Action.REJECTED, "1"), (after, "1"))
    with pytest.raises(NotAllowed, match="was rejected"):
        check_decision(entries, "m:1", Action.APPROVED)
    with pytest.raises(NotAllowed, match="was rejected"):
        required_approval(entries, "m:1", "sha-1")


def test_the_content_of_a_version_is_known_from_what_was_decided_about_it() -> None:
    entries = ledger((Action.APPROVED, "1"), (Action.WITHDRAWN, "1", ""))
    assert (content_known(entries, "m:1"), content_known(entries, "m:2")) == ("sha-1", "")


def test_an_approved_version_can_still_be_rejected() -> None:
    check_decision(ledger((Action.APPROVED, "1")), "m:1", Action.REJECTED)


def test_the_content_of_a_rejected_version_cannot_be_approved_under_another_number() -> None:
    with pytest.raises(NotAllowed, match="rejected"):
        check_decision(ledger((Action.REJECTED, "1", "same")), "m:2", Action.APPROVED, "same")


actions = st.lists(st.tuples(st.sampled_from(Action), st.sampled_from("123")), max_size=12)


@given(actions)
def test_a_version_that_may_be_released_was_approved_last(decisions: list[tuple[Action, str]]) -> None:
    entries = ledger(*decisions)
    try:
        required_approval(entries, "m:1", "sha-1")
    except NotAllowed:
        return
    last = latest_decision(entries, "m:1", "sha-1")
    assert last is not None
    assert last.action is Action.APPROVED


@given(actions)
def test_no_approval_from_before_a_repair_permits(decisions: list[tuple[Action, str]]) -> None:
    with pytest.raises(NotAllowed):
        required_approval(ledger(*decisions, (Action.REPAIRED, "9")), "m:1", "sha-1")


@given(actions)
def test_what_was_decided_against_a_version_outlives_a_repair(decisions: list[tuple[Action, str]]) -> None:
    last = latest_decision(ledger(*decisions), "m:1", "sha-1")
    if last is not None and last.action is not Action.APPROVED:
        assert latest_decision(ledger(*decisions, (Action.REPAIRED, "9")), "m:1", "sha-1") == last


def test_what_was_released_last_serves() -> None:
    assert models(ledger((Action.RELEASED, "1"), (Action.RELEASED, "2"))) == ["1", "2"]


def test_a_rollback_takes_the_present_version_off() -> None:
    entries = ledger((Action.RELEASED, "1"), (Action.RELEASED, "2"), (Action.ROLLED_BACK, "1"))
    assert models(entries) == ["1"]


def test_a_second_rollback_goes_further_back_and_not_forth() -> None:
    released = [(Action.RELEASED, version) for version in "123"]
    entries = ledger(*released, (Action.ROLLED_BACK, "2"), (Action.ROLLED_BACK, "1"))
    assert models(entries) == ["1"]


@given(st.lists(st.sampled_from("123"), min_size=1, max_size=6))
def test_a_release_and_a_rollback_cancel_out(versions: list[str]) -> None:
    entries = ledger(*((Action.RELEASED, version) for version in versions))
    before = models(entries)
    decisions = [(Action.RELEASED, version) for version in [*versions, "9"]]
    assert models(ledger(*decisions, (Action.ROLLED_BACK, versions[-1]))) == before


@given(actions)
def test_what_serves_was_released_or_returned_to_last(decisions: list[tuple[Action, str]]) -> None:
    moves = [version for action, version in decisions if action in {Action.RELEASED, Action.ROLLED_BACK}]
    assert models(ledger(*decisions))[-1:] == moves[-1:]


def test_another_endpoint_is_another_story() -> None:
    assert served(ledger((Action.RELEASED, "1")), "other") == ()


@given(actions)
def test_an_endpoint_is_locked_until_the_lock_is_broken_or_the_traffic_has_moved(
    decisions: list[tuple[Action, str]],
) -> None:
    about = [action for action, _ in decisions if action not in {Action.APPROVED, Action.REJECTED, Action.REPAIRED}]
    held = lock_of(ledger(*decisions), "e")
    assert (held is not None) is (about[-1:] == [Action.LOCKED])
