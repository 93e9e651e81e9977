"""What was decided and done on the way to production: entries that each name the one before by its checksum."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Self, TypeVar


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
class Home:
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
        cls, entries: Sequence["Entry"], draft: Draft, *, at: str, nonce: str, home: Home, number: int | None = None
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
    def home(self) -> Home:
        """The ledger that the entry was written to."""
        return Home(self.workspace, self.ledger)

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
        if self.home == Home("", ""):  # the checksum of an earlier edition, which named neither
            del values["workspace"], values["ledger"]
        return values


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


def lock_of(entries: Sequence[Entry], endpoint: str) -> Entry | None:
    """Return the entry that locks an endpoint, or None."""
    for entry in reversed(entries):
        if entry.endpoint == endpoint and entry.action is Action.LOCKED:
            return entry
        if entry.endpoint == endpoint and entry.action in _ENDS_A_LOCK:
            return None
    return None


_FACT = "fact."
