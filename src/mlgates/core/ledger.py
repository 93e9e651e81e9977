"""The ledger: what was decided and released, and whether all of it is there.

Each entry names the one before by its checksum. An anchor is the number and checksum of an entry, repeated outside the
ledger: a chain alone cannot show that its end was cut off, or that all of it was rewritten.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Self, TypeVar

_FACT = "fact."
HEAD_TAG = "ledger.head"
"""On the endpoint, and on model versions: the last entry of the ledger, or about the version."""
REJECTED_TAG = "ledger.rejected"
"""On a model version, or the run that made it: the checksum of the content that was rejected."""
ANCHOR_TAGS = "ledger."
"""How the names of both begin: whoever updates a resource keeps them."""
LEFT_OUT = "left out"
"""The fact of a repair: the versions of the ledger, parted by blanks, that do not count from there on."""


class Action(StrEnum):
    """What an entry records."""

    APPROVED = "approved"
    REJECTED = "rejected"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    RELEASED = "released"
    ROLLED_BACK = "rolled back"
    WITHDRAWN = "withdrawn"
    """A release broke a limit, or was given up: the version before has all the traffic."""
    REPAIRED = "repaired"
    """Somebody has looked at a broken ledger: what is left of it continues from here."""


_ENDS_A_LOCK = frozenset({Action.UNLOCKED, Action.RELEASED, Action.ROLLED_BACK, Action.WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry that has no place in the ledger yet."""

    action: Action
    by: str
    """Who: a person, or the run of a pipeline."""
    model: str
    """Name and version, `classifier:3`; of a rollback, the one that serves again."""
    sha256: str = ""
    """Of the version's files, where the entry is about its content."""
    reason: str = ""
    gate_record: str = ""
    """The sha256 of the gate record that an approval rests on."""
    endpoint: str = ""
    deployment: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Whatever else there is to know, by name."""


@dataclass(frozen=True, slots=True)
class LedgerAddress:
    """Where an entry belongs: one that is found elsewhere was copied there."""

    workspace: str
    """Subscription, resource group and name, in lower case: Azure ignores case."""
    ledger: str

    def __str__(self) -> str:
        return f"ledger {self.ledger} of workspace {self.workspace}"


@dataclass(frozen=True, kw_only=True)  # no slots: the checksum is kept
class Entry(Draft):
    """An entry of the ledger."""

    number: int
    """From 1, without gaps but before a repair, which uses no number of a lost entry again."""
    previous: str
    """The checksum of the entry before; empty for the first."""
    at: str
    """UTC, ISO 8601."""
    nonce: str
    """Makes any two entries different, so that of two writers one is refused."""
    workspace: str = ""
    ledger: str = ""
    """As in `home`; both are empty in what earlier editions wrote."""

    @classmethod
    def after(
        cls,
        entries: Sequence["Entry"],
        draft: Draft,
        *,
        at: str,
        nonce: str,
        home: LedgerAddress,
        number: int | None = None,
    ) -> Self:
        """Return `draft` as the entry that follows `entries`; `number` leaves a gap, as only a repair may."""
        last = entries[-1] if entries else None
        return cls(
            **{each.name: getattr(draft, each.name) for each in fields(draft)},
            number=number or (last.number + 1 if last else 1),
            previous=last.checksum if last else "",
            at=at,
            nonce=nonce,
            workspace=home.workspace,
            ledger=home.ledger,
        )

    @property
    def home(self) -> LedgerAddress:
        """The ledger that the entry was written to."""
        return LedgerAddress(self.workspace, self.ledger)

    @property
    def content(self) -> bytes:
        """The entry as JSON, always the same bytes."""
        return json.dumps(self._values(), sort_keys=True, ensure_ascii=False, indent=1).encode()

    @cached_property
    def checksum(self) -> str:
        """The sha256 of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def summary(self) -> str:
        """In one phrase."""
        return f"{self.model} {self.action} by {self.by}"

    @classmethod
    def from_content(cls, content: bytes) -> Self:
        """Read an entry back. Raises `ValueError`, `TypeError` or `KeyError` for anything that is none."""
        try:
            values = json.loads(content)
        except RecursionError as error:
            raise ValueError("it is nested too deep for an entry") from error
        return _checked(cls(**{**values, "action": Action(values["action"])}))

    def to_tags(self) -> dict[str, str]:
        """Return the entry as text by name; what is empty is left out."""
        values = self._values()
        facts = {f"{_FACT}{name}": value for name, value in values.pop("facts").items()}
        return {name: str(value) for name, value in (values | facts).items() if value != ""}

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> Self:
        """Read an entry back from its tags; the caller compares its checksum. Raises as `from_content` does."""
        known = {each.name for each in fields(cls)} - {"facts"}
        facts = {name.removeprefix(_FACT): value for name, value in tags.items() if name.startswith(_FACT)}
        values: dict[str, Any] = {"previous": "", **{name: value for name, value in tags.items() if name in known}}
        number, action = int(values["number"]), Action(values["action"])
        return _checked(cls(**{**values, "number": number, "action": action}, facts=facts))

    def _values(self) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in fields(self)} | {"facts": dict(self.facts)}
        if self.home == LedgerAddress("", ""):  # the checksum of an earlier edition, which named neither
            del values["workspace"], values["ledger"]
        return values


@dataclass(frozen=True, slots=True)
class LedgerVersion:
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


def lock_of(entries: Sequence[Entry], endpoint: str) -> Entry | None:
    """Return the entry that locks an endpoint, or None."""
    for entry in reversed(entries):
        if entry.endpoint == endpoint and entry.action is Action.LOCKED:
            return entry
        if entry.endpoint == endpoint and entry.action in _ENDS_A_LOCK:
            return None
    return None


def chained(versions: Sequence[LedgerVersion], home: LedgerAddress) -> tuple[tuple[Entry, ...], str | None]:
    """Return the entries in `versions`, which are in their order, up to the first fault, and that fault.

    What a later repair left out does not count, and is no fault.
    """
    entries: list[Entry] = []
    passed_over = left_out(versions)
    for each in versions:
        if each.version in passed_over:
            continue
        if each.entry is None:
            return tuple(entries), f"entry {each.version} is not what was written"
        if (wrong := _fault(each.entry, each.version, entries[-1] if entries else None, home)) is not None:
            return tuple(entries), wrong
        entries.append(each.entry)
    return tuple(entries), None


def left_out(versions: Sequence[LedgerVersion]) -> frozenset[str]:
    """Return the versions that repairs have left out; of a repair that was left out itself, none."""
    found: set[str] = set()
    for each in reversed(versions):
        if each.version not in found and each.entry is not None and each.entry.action is Action.REPAIRED:
            found.update(each.entry.facts.get(LEFT_OUT, "").split())
    return frozenset(found)


def disagreements(entries: Sequence[Entry], anchors: Iterable[Anchor]) -> list[str]:
    """Return where anchors disagree with `entries`, a line each. One that is behind agrees."""
    return [line for anchor in anchors if (line := _disagreement(entries, anchor)) is not None]


def confirmed(entries: Sequence[Entry], anchors: Iterable[Anchor]) -> tuple[Entry, ...]:
    """Return the entries that can be shown to be what was written: up to the last that an anchor names."""
    last = max((anchor.number for anchor in anchors if anchor.number and anchor.names_one_of(entries)), default=0)
    return tuple(entry for entry in entries if entry.number <= last)


E = TypeVar("E", bound=Entry)


def _checked(entry: E) -> E:
    """Return the entry. Raises `ValueError` or `TypeError` when a value is not of its kind, as only a forger writes."""
    if type(entry.number) is not int or entry.number < 1 or not isinstance(entry.facts, dict):
        raise ValueError("no number, or no facts")
    texts = [getattr(entry, each.name) for each in fields(entry) if each.name not in {"number", "facts"}]
    for text in (*texts, *entry.facts, *entry.facts.values()):
        str.encode(text)  # refuses what is no text, and half characters
    if datetime.fromisoformat(entry.at).tzinfo is None:
        raise ValueError(f"{entry.at} has no time zone")
    return entry


def _fault(entry: Entry, version: str, before: Entry | None, home: LedgerAddress) -> str | None:
    if entry.home != home:
        whose = "names no ledger" if entry.home == LedgerAddress("", "") else f"was written for {entry.home}"
        return f"entry {version} {whose}: this is {home}"
    if version != str(entry.number):
        return f"entry {version} was written as entry {entry.number}"
    next_number = before.number + 1 if before else 1
    if entry.number < next_number or (entry.number > next_number and entry.action is not Action.REPAIRED):
        return f"entry {next_number} is missing"
    if entry.previous != (before.checksum if before else ""):
        return f"entry {version} does not follow entry {next_number - 1}: one of the two is not what was written"
    return None


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
