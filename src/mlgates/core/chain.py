"""Whether a ledger is whole: its entries follow each other, and its end is where its anchors say that it was.

An anchor is the number and checksum of an entry, repeated outside the ledger: a chain alone cannot show that its end
was cut off, or that all of it was rewritten.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from mlgates.core.ledger import Action, Entry, Home

HEAD_TAG = "ledger.head"
"""On the endpoint, and on model versions: the last entry of the ledger, or about the version."""
REJECTED_TAG = "ledger.rejected"
"""On a model version, or the run that made it: the checksum of the content that was rejected."""
ANCHOR_TAGS = "ledger."
"""How the names of both begin: whoever updates a resource keeps them."""
LEFT_OUT = "left out"
"""The fact of a repair: the versions of the ledger, parted by blanks, that do not count from there on."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A version of the ledger's data asset."""

    version: str
    entry: Entry | None
    """None when its content is not what was written."""

    @property
    def number(self) -> int:
        """Its place in the ledger; 0 for what has none."""
        return int(self.version) if self.version.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a resource names of the ledger."""

    where: str
    """`endpoint online-prod`, `model classifier:3`."""
    number: int = 0
    """Of the entry; 0 when it names none."""
    checksum: str = ""
    rejected: str | None = None
    """The checksum of content that was rejected."""
    model: str = ""
    """Of a model version: its name and version, `classifier:3`."""

    @classmethod
    def from_tags(cls, where: str, tags: dict[str, str], model: str = "") -> Self | None:
        """Read the anchor in a resource's tags; None when there is none."""
        if HEAD_TAG not in tags and REJECTED_TAG not in tags:
            return None
        number, _, checksum = tags.get(HEAD_TAG, "").partition(" ")
        # One that cannot be read names an entry that is in no ledger.
        place = int(number) if number.isdecimal() else (-1 if HEAD_TAG in tags else 0)
        return cls(where, place, checksum, tags.get(REJECTED_TAG), model)

    @staticmethod
    def tags_of(entry: Entry) -> dict[str, str]:
        """Return the tags that repeat `entry` on a resource."""
        return {HEAD_TAG: f"{entry.number} {entry.checksum}"}

    def names_one_of(self, entries: Iterable[Entry]) -> bool:
        """Return whether its entry is one of `entries`."""
        return any((entry.number, entry.checksum) == (self.number, self.checksum) for entry in entries)

    def rejection_in(self, entries: Iterable[Entry]) -> bool:
        """Return whether `entries` have the rejection that it names, by content or by name."""
        return any(
            entry.action is Action.REJECTED and (entry.sha256 == self.rejected or entry.model == self.model)
            for entry in entries
        )


def chained(slots: Sequence[Slot], home: Home) -> tuple[tuple[Entry, ...], str | None]:
    """Return the entries in `slots`, which are in their order, up to the first fault, and that fault.

    What a later repair left out does not count, and is no fault.
    """
    entries: list[Entry] = []
    passed_over = left_out(slots)
    for slot in slots:
        if slot.version in passed_over:
            continue
        if slot.entry is None:
            return tuple(entries), f"entry {slot.version} is not what was written"
        if (wrong := _fault(slot.entry, slot.version, entries[-1] if entries else None, home)) is not None:
            return tuple(entries), wrong
        entries.append(slot.entry)
    return tuple(entries), None


def left_out(slots: Sequence[Slot]) -> frozenset[str]:
    """Return the versions that repairs have left out; of a repair that was left out itself, none."""
    found: set[str] = set()
    for slot in reversed(slots):
        if slot.version not in found and slot.entry is not None and slot.entry.action is Action.REPAIRED:
            found.update(slot.entry.facts.get(LEFT_OUT, "").split())
    return frozenset(found)


def _fault(entry: Entry, version: str, before: Entry | None, home: Home) -> str | None:
    if entry.home != home:
        whose = "names no ledger" if entry.home == Home("", "") else f"was written for {entry.home}"
        return f"entry {version} {whose}: this is {home}"
    if version != str(entry.number):
        return f"entry {version} was written as entry {entry.number}"
    next_number = before.number + 1 if before else 1
    if entry.number < next_number or (entry.number > next_number and entry.action is not Action.REPAIRED):
        return f"entry {next_number} is missing"
    if entry.previous != (before.checksum if before else ""):
        return f"entry {version} does not follow entry {next_number - 1}: one of the two is not what was written"
    return None


def disagreements(entries: Sequence[Entry], anchors: Iterable[Anchor]) -> list[str]:
    """Return where anchors disagree with `entries`, a line each. One that is behind agrees."""
    return [line for anchor in anchors if (line := _disagreement(entries, anchor)) is not None]


def _disagreement(entries: Sequence[Entry], anchor: Anchor) -> str | None:
    last = entries[-1].number if entries else 0
    if anchor.number and not anchor.names_one_of(entries):
        if anchor.number > last:
            end = f"ends with entry {last}" if last else "is empty"
            return f"{anchor.where} names entry {anchor.number}, and the ledger {end}: what was written is gone"
        if anchor.number < 0:
            return f"{anchor.where} names an entry by a tag {HEAD_TAG} that cannot be read"
        return f"entry {anchor.number} is not the one that {anchor.where} names"
    if anchor.rejected is not None and not anchor.rejection_in(entries):
        return f"{anchor.where} was rejected, and the ledger does not say so"
    return None


def confirmed(entries: Sequence[Entry], anchors: Iterable[Anchor]) -> tuple[Entry, ...]:
    """Return the entries that can be shown to be what was written: up to the last that an anchor names."""
    last = max((anchor.number for anchor in anchors if anchor.number and anchor.names_one_of(entries)), default=0)
    return tuple(entry for entry in entries if entry.number <= last)
