from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.ai.ml import MLClient

from mlgates.core.errors import LedgerBroken
from mlgates.core.ledger import Action, Draft
from mlgates.core.values import AssetVersion
from mlgates.delivery import workspace_ledger
from mlgates.delivery.workspace_ledger import Ledger
from tests.unit.mlgates.fake_workspace import FakeWorkspace

DRAFT = Draft(action=Action.APPROVED, by="Ann", model="classifier:3", sha256="c0ffee", reason="better")
NAME = "classifier-ledger"


@pytest.fixture
def ledger(client: MLClient) -> Ledger:
    numbers = iter(range(100))
    return Ledger(
        client, "classifier", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC), nonce=lambda: str(next(numbers))
    )


def append(ledger: Ledger, count: int = 1) -> None:
    for _ in range(count):
        ledger.append(lambda _: DRAFT)


def test_a_ledger_that_nobody_wrote_to_is_empty(ledger: Ledger) -> None:
    assert ledger.entries() == ()


def test_what_was_appended_is_read_in_its_order(ledger: Ledger) -> None:
    append(ledger, 3)
    assert [(entry.number, entry.by, entry.reason) for entry in ledger.entries()] == [
        (number, "Ann", "better") for number in (1, 2, 3)
    ]


def test_more_than_nine_entries_are_read_in_their_order(ledger: Ledger) -> None:
    append(ledger, 11)
    assert [entry.number for entry in ledger.entries()] == list(range(1, 12))


def test_of_two_writers_of_one_place_the_second_is_asked_again(ledger: Ledger) -> None:
    seen: list[int] = []

    def decide(entries: object) -> Draft:
        assert isinstance(entries, tuple)
        seen.append(len(entries))
        if len(seen) == 1:
            append(ledger)  # another writer, between the decision and the writing
        return DRAFT

    assert ledger.append(decide).number == 2
    assert seen == [0, 1]


def test_what_decides_may_refuse_and_nothing_is_written(ledger: Ledger) -> None:
    def refuse(_: object) -> Draft:
        raise LedgerBroken("no")

    with pytest.raises(LedgerBroken):
        ledger.append(refuse)
    assert ledger.entries() == ()


def _edit(workspace: FakeWorkspace, number: str, **tags: str) -> None:
    version = workspace.data.get(NAME, number)
    version.tags = {**version.tags, **tags}
    workspace.data.create_or_update(version)


def test_edited_tags_are_not_believed_when_the_file_says_otherwise(
    ledger: Ledger, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    append(ledger)
    content = ledger.entries()[0].content
    _edit(workspace, "1", by="Mallory")
    monkeypatch.setattr(workspace_ledger, "download_data", lambda *_: _written(tmp_path, content))
    assert ledger.entries()[0].by == "Ann"


def test_an_entry_whose_file_was_changed_too_breaks_the_chain(
    ledger: Ledger, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    append(ledger, 2)
    content = ledger.entries()[1].content.replace(b"Ann", b"Eve")
    _edit(workspace, "2", by="Eve")
    monkeypatch.setattr(workspace_ledger, "download_data", lambda *_: _written(tmp_path, content))
    assert (len(ledger.read().entries), ledger.read().fault) == (1, "entry 2 is not what was written")
    with pytest.raises(LedgerBroken, match=f"{NAME}: entry 2 is not what was written"):
        ledger.entries()


def test_an_entry_that_is_missing_breaks_the_chain(ledger: Ledger, workspace: FakeWorkspace) -> None:
    append(ledger, 3)
    workspace.data._versions[NAME] = [each for each in workspace.data._versions[NAME] if each.version != "2"]
    assert ledger.read().fault == "entry 2 is missing"


def _written(folder: Path, content: bytes) -> Path:
    file = folder / "entry.json"
    file.write_bytes(content)
    return file


def test_a_version_that_somebody_registered_by_hand_breaks_the_chain(
    ledger: Ledger, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    append(ledger)
    workspace.data.create_or_update(type("Data", (), {"name": NAME, "version": "mine", "path": "p/x.json", "tags": {}}))
    monkeypatch.setattr(workspace_ledger, "download_data", lambda *_: _written(tmp_path, b"{}"))
    assert ledger.read().fault == "entry mine is not what was written"


def test_an_address_elsewhere_is_not_asked_for_an_entry(
    ledger: Ledger, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(ledger)
    elsewhere = {"name": NAME, "version": "2", "path": "https://127.0.0.1:9/entry.json", "tags": {}}
    workspace.data.create_or_update(type("Data", (), elsewhere))
    monkeypatch.setattr(workspace_ledger, "download_data", lambda *_: pytest.fail("asked"))
    assert ledger.read().fault == "entry 2 is not what was written"


def test_a_ledger_is_a_data_asset_beside_the_model(ledger: Ledger, workspace: FakeWorkspace) -> None:
    append(ledger)
    assert AssetVersion(NAME, "1", created=True).reference == "azureml:classifier-ledger:1"
    assert workspace.data.get(NAME, "1").tags["action"] == "approved"
