import json
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.ledger import (
    LEFT_OUT,
    Action,
    Anchor,
    Draft,
    Entry,
    LedgerAddress,
    LedgerVersion,
    chained,
    confirmed,
    disagreements,
)

HOME = LedgerAddress("sub/rg/ws", "classifier-ledger")
AT = "2026-01-01T00:00:00+00:00"
texts = st.text(max_size=12)
drafts = st.builds(
    Draft,
    action=st.sampled_from([action for action in Action if action is not Action.REPAIRED]),
    by=texts,
    model=texts,
    sha256=texts,
    reason=texts,
    gate_record=texts,
    endpoint=texts,
    deployment=texts,
    facts=st.dictionaries(texts, texts.filter(bool), max_size=3),
)


def written(drafts: Sequence[Draft], home: LedgerAddress = HOME) -> list[Entry]:
    entries: list[Entry] = []
    for number, draft in enumerate(drafts):
        entries.append(Entry.after(entries, draft, at=AT, nonce=f"{home}{number}", home=home))
    return entries


def slots(entries: Sequence[Entry]) -> list[LedgerVersion]:
    return [LedgerVersion(str(entry.number), entry) for entry in entries]


def fault(entries: Sequence[Entry]) -> str | None:
    return chained(slots(entries), HOME)[1]


def anchor(entry: Entry) -> Anchor:
    return Anchor("endpoint e", entry.number, entry.checksum)


chains = st.lists(drafts, min_size=1, max_size=5).map(written)
long_chains = chains.filter(lambda entries: len(entries) > 1)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(drafts, st.sampled_from([each.name for each in fields(Entry)]), anything)
def test_a_file_of_any_content_is_an_entry_or_none_and_nothing_else_happens(
    draft: Draft, name: str, value: object
) -> None:
    values = json.loads(written([draft])[0].content) | {name: value}
    try:
        entry = Entry.from_content(json.dumps(values).encode())
    except (ValueError, TypeError, KeyError):
        return
    assert Entry.from_content(entry.content) == entry
    assert chained([LedgerVersion(str(entry.number), entry)], HOME)
    assert datetime.fromisoformat(entry.at) < datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    [b"[" * 200_000, b"null", b"{}", b"\xff", b'"text"', b'{"action": "approved"}'],
)
def test_what_is_no_entry_is_refused(content: bytes) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Entry.from_content(content)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "1"),
        ("number", True),
        ("number", 0),
        ("facts", "abc"),
        ("facts", {"left out": 5}),
        ("facts", None),
        ("at", "yesterday"),
        ("at", "2026-01-01T00:00:00"),
        ("reason", "\ud800"),
        ("model", None),
        ("sha256", ["a"]),
    ],
)
def test_a_value_of_another_kind_makes_no_entry(name: str, value: object) -> None:
    values = json.loads(written([Draft(action=Action.APPROVED, by="Ann", model="m:1")])[0].content)
    assert Entry.from_content(json.dumps(values).encode())
    with pytest.raises((ValueError, TypeError)):
        Entry.from_content(json.dumps(values | {name: value}).encode())


@given(chains)
def test_what_was_chained_has_no_fault(entries: list[Entry]) -> None:
    assert chained(slots(entries), HOME) == (tuple(entries), None)


@given(chains, st.data())
def test_an_entry_that_is_not_the_last_cannot_be_changed_unnoticed(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    changed = [*entries[:place], replace(entries[place], by=f"{entries[place].by}!"), *entries[place + 1 :]]
    # The last has none after it that tells; there the name of its file does (delivery.workspace_ledger).
    assert (fault(changed) is None) is (place == len(entries) - 1)


@given(long_chains, st.data())
def test_an_entry_that_is_not_the_last_cannot_be_taken_out_unnoticed(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 2))
    assert fault([*entries[:place], *entries[place + 1 :]]) is not None


@given(chains, st.data())
def test_no_end_can_be_cut_off_that_an_anchor_names(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    faults = disagreements(entries[:place], [anchor(entries[place])])
    assert faults
    assert "what was written is gone" in faults[0]


@given(chains, chains)
def test_a_chain_that_is_written_anew_is_not_what_the_anchor_names(old: list[Entry], new: list[Entry]) -> None:
    anew = [replace(entry, nonce=f"another {entry.nonce}") for entry in new]
    assert disagreements(anew, [anchor(old[-1])])


@given(chains, st.data())
def test_an_anchor_that_is_behind_agrees(entries: list[Entry], data: st.DataObject) -> None:
    assert disagreements(entries, [anchor(data.draw(st.sampled_from(entries)))]) == []


@given(chains, st.data())
def test_what_an_anchor_confirms_is_all_that_came_before(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    assert confirmed(entries, [anchor(entries[place])]) == tuple(entries[: place + 1])


@given(chains, texts, texts)
def test_an_entry_of_another_ledger_is_named(entries: list[Entry], workspace: str, ledger: str) -> None:
    home = LedgerAddress(f"other {workspace}", ledger)
    drafts = [Draft(action=Action.APPROVED, by="Eve", model="m:1")] * (len(entries) + 1)
    copied = [*slots(entries), *slots(written(drafts, home))[-1:]]
    _, wrong = chained(copied, HOME)
    assert wrong is not None
    assert f"entry {len(entries) + 1} was written for ledger {ledger} of workspace other" in wrong


def test_an_entry_of_an_edition_that_named_no_ledger_is_said_to_name_none() -> None:
    first = replace(written([Draft(action=Action.APPROVED, by="Ann", model="m:1")])[0], workspace="", ledger="")
    assert Entry.from_content(first.content).checksum == first.checksum
    assert str(fault([first])).startswith("entry 1 names no ledger")


def test_a_rejection_that_a_tag_names_must_be_in_the_ledger() -> None:
    rejection = Anchor("model m:1", rejected="c0ffee", model="m:1")
    entries = written([Draft(action=Action.REJECTED, by="Ann", model="m:job:x", sha256="c0ffee")])
    assert disagreements(entries, [rejection]) == []
    assert disagreements([], [rejection]) == ["model m:1 was rejected, and the ledger does not say so"]


@pytest.mark.parametrize("tag", ["", "7", "x c0ffee", "-1 c0ffee", "7 c0ffee"])
def test_an_anchor_that_no_ledger_wrote_agrees_with_none(tag: str) -> None:
    found = Anchor.from_tags("endpoint e", {"ledger.head": tag})
    assert found is not None
    assert disagreements(written([Draft(action=Action.APPROVED, by="Ann", model="m:1")] * 8), [found])


def repaired(kept: Sequence[Entry], passed_over: str, number: int) -> Entry:
    draft = Draft(action=Action.REPAIRED, by="Ann", model="m", facts={LEFT_OUT: passed_over})
    return Entry.after(kept, draft, at=AT, nonce="r", home=HOME, number=number)


@given(chains, st.data())
def test_a_repair_goes_on_from_what_it_kept(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries)))
    lost = " ".join(str(entry.number) for entry in entries[place:])
    again = repaired(entries[:place], lost, len(entries) + 3)
    assert chained(slots([*entries, again]), HOME) == ((*entries[:place], again), None)


Damage = Callable[[list[LedgerVersion]], list[LedgerVersion]]


@pytest.mark.parametrize(
    "damage",
    [
        lambda found: [*found[:1], *found[2:]],  # one of those that were kept is gone
        lambda found: [*found[:3], LedgerVersion("4", found[0].entry), *found[3:]],  # one is put where there was none
        lambda found: [LedgerVersion("mine", None), *found],
        lambda found: [*found[:3], LedgerVersion("5", None)],  # the repair itself was changed
    ],
)
def test_what_is_changed_after_a_repair_is_seen(damage: Damage) -> None:
    entries = written([Draft(action=Action.APPROVED, by="Ann", model=f"m:{number}") for number in range(3)])
    found = slots([*entries, repaired(entries[:2], "3", 5)])
    assert chained(found, HOME)[1] is None
    assert chained(damage(found), HOME)[1] is not None


@given(chains)
def test_an_entry_survives_its_content(entries: list[Entry]) -> None:
    assert Entry.from_content(entries[-1].content) == entries[-1]


@given(chains)
def test_an_entry_survives_its_tags(entries: list[Entry]) -> None:
    kept = entries[-1]
    assert replace(Entry.from_tags(_present(kept)), facts=dict(kept.facts)) == kept


def _present(entry: Entry) -> dict[str, str]:
    """What must be there is there, even when it is empty."""
    return {"by": entry.by, "model": entry.model} | entry.to_tags()


@given(drafts)
def test_two_entries_of_the_same_are_two(draft: Draft) -> None:
    first, second = (Entry.after([], draft, at=AT, nonce=nonce, home=HOME) for nonce in "ab")
    assert first.checksum != second.checksum
