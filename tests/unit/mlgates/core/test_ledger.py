from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.ledger import Action, Draft, Entry, fault

texts = st.text(max_size=12)
drafts = st.builds(
    Draft,
    action=st.sampled_from(Action),
    by=texts,
    model=texts,
    sha256=texts,
    reason=texts,
    gate_record=texts,
    endpoint=texts,
    deployment=texts,
    facts=st.dictionaries(texts, texts.filter(bool), max_size=3),
)


def chained(drafts: Sequence[Draft]) -> list[Entry]:
    entries: list[Entry] = []
    for number, draft in enumerate(drafts):
        entries.append(Entry.after(entries, draft, at="2026-01-01T00:00:00+00:00", nonce=str(number)))
    return entries


chains = st.lists(drafts, min_size=1, max_size=5).map(chained)


@given(chains)
def test_what_was_chained_has_no_fault(entries: list[Entry]) -> None:
    assert fault(entries) is None


@given(chains, st.data())
def test_an_entry_that_is_not_the_last_cannot_be_changed_unnoticed(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    changed = [*entries[:place], replace(entries[place], by=f"{entries[place].by}!"), *entries[place + 1 :]]
    # The last has none after it that tells; there the name of its file does (delivery.ledger).
    assert (fault(changed) is None) is (place == len(entries) - 1)


@given(chains.filter(lambda entries: len(entries) > 1), st.data())
def test_an_entry_that_is_not_the_last_cannot_be_taken_out_unnoticed(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 2))
    assert fault([*entries[:place], *entries[place + 1 :]]) is not None


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
    first, second = (Entry.after([], draft, at="2026-01-01T00:00:00+00:00", nonce=nonce) for nonce in "ab")
    assert first.checksum != second.checksum
