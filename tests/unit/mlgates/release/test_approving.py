from typing import Any

import pytest

from mlgates.core.errors import AssetMissing, ConfigurationError, NotAllowed
from mlgates.core.gates import CheckResult, GateRecord, Subject, Verdict
from mlgates.core.ledger import Action, Entry
from mlgates.core.progress import Silent
from mlgates.release import subject
from mlgates.release.approving import decide
from mlgates.release.subject import content_of
from tests.unit.mlgates.release.conftest import Town


def record(town: Town, version: str, sha256: str | None = None, verdict: Verdict = Verdict.PASSED) -> GateRecord:
    return GateRecord(
        gate="prod",
        environment="local",
        workspace="mlw",
        candidate=Subject(
            model=f"classifier:{version}", sha256=sha256 or content_of(town.client, town.settings, version).sha256
        ),
        champion=None,
        results=(CheckResult(name="metrics.auc", verdict=verdict, reason="as asked"),),
        started="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        commit="c0ffee",
    )


@pytest.fixture
def version(town: Town, monkeypatch: pytest.MonkeyPatch) -> str:
    """A version that has passed its gate."""
    version = town.register()
    kept(monkeypatch, record(town, version))
    return version


def kept(monkeypatch: pytest.MonkeyPatch, record: GateRecord | None) -> None:
    monkeypatch.setattr(subject, "read_record", lambda *_: record)


def decided(town: Town, model: str, action: Action = Action.APPROVED, **given: Any) -> Entry:
    how: dict[str, Any] = {"by": "Ann", "reason": "better", **given}
    return decide(town.client, town.settings, model, action, **how, progress=Silent())


def test_an_approval_is_bound_to_content_and_gate_record(town: Town, version: str) -> None:
    entry = decided(town, "classifier:1")
    assert entry.sha256 == content_of(town.client, town.settings, version).sha256
    assert entry.gate_record == record(town, version).sha256


@pytest.mark.usefixtures("version")
@pytest.mark.parametrize("model", ["classifier", "other:1", "classifier:"])
def test_what_is_no_version_of_the_model_cannot_be_approved(town: Town, model: str) -> None:
    with pytest.raises(AssetMissing, match="name it as classifier:VERSION"):
        decided(town, model)


@pytest.mark.usefixtures("version")
def test_a_version_that_is_not_there_cannot_be_approved(town: Town) -> None:
    with pytest.raises(AssetMissing, match=r"no version 9 of model classifier \(known: 1\)"):
        decided(town, "classifier:9")


@pytest.mark.usefixtures("version")
@pytest.mark.parametrize("missing", ["by", "reason"])
def test_nobody_and_no_reason_are_refused(town: Town, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--{missing} is empty"):
        decided(
            town, "classifier:1", by="" if missing == "by" else "Ann", reason="  " if missing == "reason" else "better"
        )


@pytest.mark.usefixtures("version")
def test_the_same_decision_twice_is_refused(town: Town) -> None:
    decided(town, "classifier:1")
    with pytest.raises(NotAllowed, match="approved already, by Ann"):
        decided(town, "classifier:1", by="Bob")


@pytest.mark.usefixtures("version")
def test_an_approval_after_a_rejection_is_refused(town: Town) -> None:
    decided(town, "classifier:1", Action.REJECTED, reason="too slow")
    with pytest.raises(NotAllowed, match=r"rejected by Ann \(too slow\): train another"):
        decided(town, "classifier:1")


def test_a_version_that_did_not_pass_cannot_be_approved(town: Town) -> None:
    town.register(gate="failed")
    with pytest.raises(NotAllowed, match="classifier:1 did not pass gate prod"):
        decided(town, "classifier:1")


def test_a_version_that_did_not_pass_can_be_rejected(town: Town) -> None:
    town.register(gate="failed")
    assert decided(town, "classifier:1", Action.REJECTED).gate_record == ""


def test_a_version_without_its_record_cannot_be_approved(
    town: Town, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(monkeypatch, None)
    with pytest.raises(NotAllowed, match="no record of a passed gate prod"):
        decided(town, "classifier:1")


def test_a_record_that_is_not_of_a_passed_gate_does_not_count(
    town: Town, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(monkeypatch, record(town, version, verdict=Verdict.FAILED))
    with pytest.raises(NotAllowed, match="no record of a passed gate prod"):
        decided(town, "classifier:1")


def test_a_version_that_was_changed_since_its_gate_cannot_be_approved(
    town: Town, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(monkeypatch, record(town, version, sha256="0" * 64))
    with pytest.raises(NotAllowed, match="classifier:1 has changed since gate prod"):
        decided(town, "classifier:1")


@pytest.mark.usefixtures("version")
def test_another_record_than_the_newest_cannot_be_decided_on(town: Town) -> None:
    with pytest.raises(NotAllowed, match="the newest record of gate prod is"):
        decided(town, "classifier:1", gate_record="0123")


def test_the_newest_record_may_be_named_by_its_first_digits(town: Town, version: str) -> None:
    named = record(town, version).sha256[:10]
    assert decided(town, "classifier:1", gate_record=named).gate_record.startswith(named)
