"""Where the ledger is kept: a data asset of the workspace, each of whose versions is an entry.

Azure ML refuses to register a version again with another path, so two writers cannot both take a place: appending is
safe, and a lock can be built on it. A version's path ends in the checksum of its file, and never changes; the tags
repeat the entry, so that listing the versions reads the whole ledger. Tags can be edited: those that do not give the
checksum are not believed, and the file is read.
"""

import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from azure.ai.ml import MLClient
from azure.ai.ml.entities import Data
from azure.core.exceptions import AzureError, ResourceNotFoundError

from mlgates.core.errors import AssetMissing, LedgerBroken
from mlgates.core.ledger import Draft, Entry, fault
from mlgates.delivery.downloads import download_data
from mlgates.delivery.quiet import quiet_upload
from mlgates.delivery.refusals import asking

_LONGEST_TAG = 256
Decide: TypeAlias = Callable[[Sequence[Entry]], Draft]
"""Makes an entry of the entries so far, or raises."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a ledger holds, oldest first, and what is wrong with it."""

    entries: tuple[Entry, ...]
    fault: str | None


class Ledger:
    """The ledger of one model in one workspace. `clock` and `nonce` are for tests."""

    def __init__(
        self,
        client: MLClient,
        model_name: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        nonce: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self.name = f"{model_name}-ledger"
        self.clock = clock
        self._client = client
        self._nonce = nonce

    def read(self) -> Reading:
        """Return all entries that can be read, and the first fault."""
        entries: list[Entry] = []
        for version in self._versions():
            entry = _from_tags(version.tags or {}, _checksum(version)) or self._from_file(version)
            if entry is None:
                return Reading(tuple(entries), f"entry {version.version} is not what was written")
            entries.append(entry)
        return Reading(tuple(entries), fault(entries))

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, oldest first. Raises `LedgerBroken` when one of them was changed or is missing."""
        reading = self.read()
        if reading.fault:
            raise LedgerBroken(f"ledger {self.name}: {reading.fault}; nothing is decided on it (see 'mlgates history')")
        return reading.entries

    def append(self, decide: Decide) -> Entry:
        """Append what `decide` makes of the entries so far; return the entry.

        When another writer comes first, `decide` is asked again with its entry. What it raises passes through.
        """
        while True:
            entries = self.entries()
            draft = decide(entries)
            at = self.clock().isoformat(timespec="milliseconds")
            entry = Entry.after(entries, draft, at=at, nonce=self._nonce())
            if self._put(entry):
                return entry

    def _put(self, entry: Entry) -> bool:
        """Return False when its place is taken."""
        with tempfile.TemporaryDirectory() as folder, asking(f"append to ledger {self.name}"):
            file = Path(folder) / f"entry-{entry.checksum}.json"
            file.write_bytes(entry.content)
            tags = {name: value[:_LONGEST_TAG] for name, value in entry.to_tags().items()}
            data = Data(name=self.name, version=str(entry.number), path=str(file), type="uri_file", tags=tags)
            try:
                with quiet_upload():
                    self._client.data.create_or_update(data)
            except AzureError:
                if self._taken(entry):
                    return False
                raise
        return True

    def _taken(self, entry: Entry) -> bool:
        try:
            held = self._client.data.get(self.name, str(entry.number))
        except ResourceNotFoundError:
            return False
        return _checksum(held) != entry.checksum

    def _versions(self) -> Sequence[Any]:
        with asking(f"read ledger {self.name}"):
            try:
                versions = list(self._client.data.list(name=self.name))
            except ResourceNotFoundError:
                return []
        return sorted(versions, key=lambda version: _number(version.version))

    def _from_file(self, version: Any) -> Entry | None:
        with tempfile.TemporaryDirectory() as folder:
            try:
                content = download_data(self._client, f"{self.name}:{version.version}", Path(folder)).read_bytes()
                entry = Entry.from_content(content)
            except (AssetMissing, ValueError, TypeError, KeyError):
                return None
        return entry if entry.checksum == _checksum(version) else None


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0  # whatever is no entry comes first, and is found at once


def _checksum(version: Any) -> str:
    return PurePosixPath(str(version.path)).stem.removeprefix("entry-")


def _from_tags(tags: Mapping[str, str], checksum: str) -> Entry | None:
    try:
        entry = Entry.from_tags(tags)
    except (ValueError, TypeError, KeyError):
        return None
    return entry if entry.checksum == checksum else None
