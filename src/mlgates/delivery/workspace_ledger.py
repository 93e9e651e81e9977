"""Where the ledger is kept: a data asset of the workspace, each of whose versions is an entry.

Azure ML refuses to register a version again with another path, so two writers cannot both take a place: appending is
safe, and a lock can be built on it. A version's path ends in the checksum of its file, and never changes; the tags
repeat the entry, so that listing the versions reads the whole ledger. Tags can be edited: those that do not give the
checksum are not believed, and the file is read. Versions can be deleted, and archived: the archived are read like all
others, and the end of the ledger is anchored elsewhere, in tags of the online endpoint and of the model versions that
it speaks of. An anchor is written after its entry, so one that is behind the ledger is what a killed writer leaves, and
is brought up to the end by the next. One that is ahead means that entries are gone.
"""

import contextlib
import copy
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Self, TypeAlias

from azure.ai.ml import MLClient
from azure.ai.ml.constants import ListViewType
from azure.ai.ml.entities import Data
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, LedgerBroken
from mlgates.core.ledger import (
    HEAD_TAG,
    REJECTED_TAG,
    Action,
    Anchor,
    Draft,
    Entry,
    LedgerAddress,
    LedgerVersion,
    chained,
    disagreements,
    lock_of,
)
from mlgates.core.values import AssetVersion, ModelRef
from mlgates.delivery.assets import download_data
from mlgates.delivery.mlflow_runs import tagged_runs
from mlgates.delivery.models import tag_model
from mlgates.delivery.sdk import quiet_upload, translate_sdk_errors

_POLL_S = 1
_LONGEST_TAG = 256
_LATE = 20
"""So many entries are looked up one by one when a list does not show them."""
_TRIES = 5
"""How often a place may be found taken without an entry of another writer showing."""
Decide: TypeAlias = Callable[[Sequence[Entry]], Draft]
"""Makes an entry of the entries so far, or raises."""


class Anchors:
    """The anchors of the ledger of one model; without `endpoint` those of its versions only."""

    def __init__(self, client: MLClient, model_name: str, endpoint: str) -> None:
        self._client = client
        self._model_name = model_name
        self._endpoint = endpoint

    def read(self, *also: AssetVersion) -> list[Anchor]:
        """Return the anchors on the endpoint and on all versions of the model, archived ones too.

        `also` are models that no version is registered of yet: their tags are as they were when they were looked up.
        """
        versions = [AssetVersion(self._model_name, version, False, tags) for version, tags in self._versions().items()]
        tags = [(f"endpoint {self._endpoint}", self._endpoint_tags(), "")]
        tags += [(f"model {each}", dict(each.tags), str(each)) for each in (*versions, *also)]
        found = (Anchor.from_tags(*each) for each in tags)
        return [anchor for anchor in found if anchor is not None]

    def runs(self, experiment: str) -> list[AssetVersion]:
        """Return what the runs of an experiment have made, of those that have an anchor."""
        return [
            AssetVersion(self._model_name, ModelRef.of_job(self._model_name, run).version, created=False, tags=tags)
            for run, tags in tagged_runs(self._client, experiment, HEAD_TAG).items()
        ]

    def write(self, entry: Entry, known: Iterable[Anchor], *, with_endpoint: bool = True) -> None:
        """Repeat `entry` on the model that it speaks of, then on the endpoint, unless `known` ones do, or say more.

        `with_endpoint` is False while another process moves its traffic: Azure refuses two updates at once.
        """
        at_end = {anchor.model for anchor in known if anchor.number >= entry.number}
        model = ModelRef.match(entry.model)
        if model is not None and model.name == self._model_name and entry.model not in at_end:
            tags = Anchor.tags_of(entry) | ({REJECTED_TAG: entry.sha256} if entry.action is Action.REJECTED else {})
            # An entry may speak of a version that is gone, or was never ours.
            with contextlib.suppress(AssetMissing):
                tag_model(self._client, AssetVersion(model.name, model.version, created=False), tags)
        if with_endpoint and self._endpoint and "" not in at_end:
            self._tag_endpoint(entry)

    def replace(self, anchor: Anchor, entry: Entry) -> None:
        """Anchor `entry` at the resource of `anchor` instead; a rejection that it records stays."""
        if not anchor.model:
            self._tag_endpoint(entry, replacing=True)
            return
        model = ModelRef.parse(anchor.model)
        tag_model(self._client, AssetVersion(model.name, model.version, created=False), Anchor.tags_of(entry))

    def _versions(self) -> dict[str, dict[str, str]]:
        with translate_sdk_errors(f"list the versions of model {self._model_name}"):
            try:
                found = list(self._client.models.list(name=self._model_name, list_view_type=ListViewType.ALL))
            except ResourceNotFoundError:
                return {}
        return {str(each.version): dict(each.tags or {}) for each in found}

    def _endpoint_tags(self) -> dict[str, str]:
        if not self._endpoint:
            return {}
        with translate_sdk_errors(f"look at online endpoint {self._endpoint}"):
            try:
                return dict(self._client.online_endpoints.get(self._endpoint).tags or {})
            except ResourceNotFoundError:
                return {}

    def _tag_endpoint(self, entry: Entry, *, replacing: bool = False) -> None:
        """Tag the endpoint by PATCH: it takes tags alone, so that no traffic can be moved back by it."""
        with translate_sdk_errors(f"anchor entry {entry.number} of the ledger at online endpoint {self._endpoint}"):
            try:
                endpoint = self._client.online_endpoints.get(self._endpoint)
                if not replacing and _head_number(endpoint.tags or {}) >= entry.number:
                    return
                # All tags: whether a PATCH adds to them or replaces them, none is lost.
                tags = {**(endpoint.tags or {}), **Anchor.tags_of(entry)}
                # Private: the SDK's own face has no update of tags alone, and its PUT would send the traffic along.
                self._client.online_endpoints._online_operation.begin_update(  # noqa: SLF001
                    self._client.resource_group_name,
                    str(self._client.workspace_name),
                    self._endpoint,
                    {"tags": tags},
                    polling_interval=_POLL_S,
                ).result()
            except ResourceNotFoundError:
                return  # before the first release
            except ResourceExistsError:
                return  # 409: an update of it is under way, and the next entry brings the anchor to the end


def _head_number(tags: Mapping[str, str]) -> int:
    anchor = Anchor.from_tags("", dict(tags))
    return anchor.number if anchor else 0


@dataclass(frozen=True, slots=True)
class Reading:
    """The entries of a ledger, oldest first, and what is wrong with it."""

    entries: tuple[Entry, ...]
    """Up to the first that is not what was written."""
    faults: tuple[str, ...] = ()
    """Of the chain, then of the anchors that disagree."""
    versions: tuple[LedgerVersion, ...] = ()
    anchors: tuple[Anchor, ...] = ()

    @property
    def fault(self) -> str | None:
        """The first fault, or None."""
        return self.faults[0] if self.faults else None


class Ledger:
    """The ledger of one model in one workspace. `clock`, `nonce` and `pause` are for tests."""

    def __init__(
        self,
        client: MLClient,
        model_name: str,
        endpoint: str = "",
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        nonce: Callable[[], str] = lambda: uuid.uuid4().hex,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = f"{model_name}-ledger"
        self.clock = clock
        self.anchors = Anchors(client, model_name, endpoint)
        workspace = f"{client.subscription_id}/{client.resource_group_name}/{client.workspace_name}"
        self.home = LedgerAddress(workspace.lower(), self.name)
        self._client = client
        self._endpoint = endpoint
        self._nonce = nonce
        self._pause = pause
        self._guard: Callable[[Sequence[Entry]], None] = lambda _: None

    @classmethod
    def of(cls, client: MLClient, settings: Settings) -> Self:
        """Return the ledger of a project's model, anchored at its online endpoint."""
        return cls(client, settings.model_name, settings.online_endpoint)

    def guarded(self, guard: Callable[[Sequence[Entry]], None]) -> Self:
        """Return this ledger, to which nothing is appended unless `guard` lets the entries before it pass."""
        other = copy.copy(self)
        other._guard = guard  # noqa: SLF001 - of our own kind
        return other

    def read(self, *about: AssetVersion) -> Reading:
        """Return all entries that can be read, and all faults.

        `about` are models whose own anchors are compared too, though no version is registered of them.
        """
        # The anchors first: an entry that is written in between is ahead of them, and that is no fault.
        anchors = tuple(self.anchors.read(*(model for model in about if model.unregistered_job)))
        versions = self._complete(self._versions(), max((anchor.number for anchor in anchors), default=0))
        read = tuple(LedgerVersion(str(each.version), self._entry(each)) for each in versions)
        entries, fault = chained(read, self.home)
        differences = disagreements(entries, anchors) if fault is None else []
        return Reading(entries, (*([fault] if fault else []), *differences), read, anchors)

    def entries(self, *about: AssetVersion) -> tuple[Entry, ...]:
        """Return all entries, oldest first.

        Raises `LedgerBroken` when one of them was changed or is missing, or when an anchor disagrees.
        """
        return self._whole(*about).entries

    def append(self, decide: Decide, *about: AssetVersion) -> Entry:
        """Append what `decide` makes of the entries so far; return the entry, anchored.

        When another writer comes first, `decide` is asked again with its entry. What it raises passes through, and
        `LedgerBroken` as `entries` raises it, or when the next place is taken by what no list shows.
        """
        hidden, number = 0, 0
        while hidden < _TRIES:
            reading = self._whole(*about)
            entries, anchors = reading.entries, reading.anchors
            self._guard(entries)
            draft = decide(entries)
            entry = Entry.after(entries, draft, at=self.now(), nonce=self._nonce(), home=self.home)
            free = bool(draft.endpoint) or lock_of(entries, self._endpoint) is None
            if entries:  # what a writer that was killed has left undone
                self.anchors.write(entries[-1], anchors, with_endpoint=free)
            if self.put(entry):
                self.anchors.write(entry, anchors, with_endpoint=free)
                return entry
            hidden, number = (hidden + 1 if number == entry.number else 0), entry.number
            self._pause(hidden * 0.2)
        raise LedgerBroken(
            f"ledger {self.name}: entry {number} is there, and the workspace does not list it; nothing is decided"
        )

    def now(self) -> str:
        """Return the time of an entry that is written now."""
        return self.clock().isoformat(timespec="milliseconds")

    def repairing(self, kept: Sequence[Entry], draft: Draft, *, number: int) -> Entry:
        """Write `draft` after the entries that are `kept`; `number` is one that no entry has had.

        Raises `LedgerBroken` when another writer has taken that place.
        """
        entry = Entry.after(kept, draft, at=self.now(), nonce=self._nonce(), home=self.home, number=number)
        if not self.put(entry):
            raise LedgerBroken(f"ledger {self.name}: somebody else writes to it: look again, then repair")
        return entry

    def archived(self) -> list[str]:
        """Return the versions that are archived; they count as all others."""
        active = {str(each.version) for each in self._versions(ListViewType.ACTIVE_ONLY)}
        return [str(each.version) for each in self._versions() if str(each.version) not in active]

    def put(self, entry: Entry) -> bool:
        """Register an entry as a version, without its anchors. Return False when its place is taken."""
        with tempfile.TemporaryDirectory() as folder, translate_sdk_errors(f"append to ledger {self.name}"):
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

    def _whole(self, *about: AssetVersion) -> Reading:
        reading = self.read(*about)
        if reading.fault:
            raise LedgerBroken(
                f"ledger {self.name}: {reading.fault}; nothing is decided on it until somebody has looked: "
                "'mlgates ledger verify', then 'mlgates ledger repair'"
            )
        return reading

    def _complete(self, versions: Sequence[Any], end: int) -> Sequence[Any]:
        """Return `versions` with those up to `end` that the list does not show yet: a list may be late."""
        last = max((_number(each.version) for each in versions), default=0)
        late = []
        for number in range(last + 1, min(end, last + _LATE) + 1):
            with translate_sdk_errors(f"read entry {number} of ledger {self.name}"):
                try:
                    late.append(self._client.data.get(self.name, str(number)))
                except ResourceNotFoundError:
                    break
        return [*versions, *late]

    def _taken(self, entry: Entry) -> bool:
        try:
            registered = self._client.data.get(self.name, str(entry.number))
        except ResourceNotFoundError:
            return False
        return _checksum(registered) != entry.checksum

    def _versions(self, view: ListViewType = ListViewType.ALL) -> Sequence[Any]:
        with translate_sdk_errors(f"read ledger {self.name}"):
            try:
                versions = list(self._client.data.list(name=self.name, list_view_type=view))
            except ResourceNotFoundError:
                return []
        return sorted(versions, key=lambda version: _number(version.version))

    def _entry(self, version: Any) -> Entry | None:
        return _from_tags(version.tags or {}, _checksum(version)) or self._from_file(version)

    def _from_file(self, version: Any) -> Entry | None:
        if "://" in (path := str(version.path)) and not path.startswith("azureml://"):
            return None  # somebody else's address: none of ours, and not to be asked
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
    return _parsed(tuple(sorted(tags.items())), checksum)


@lru_cache(maxsize=1024)  # a release reads the ledger anew before each of its steps, and nearly all of it is as before
def _parsed(tags: tuple[tuple[str, str], ...], checksum: str) -> Entry | None:
    try:
        entry = Entry.from_tags(dict(tags))
    except (ValueError, TypeError, KeyError):
        return None
    return entry if entry.checksum == checksum else None
