"""Pages of a container's names, flat or as folders (learn.microsoft.com/rest/api/storageservices/list-blobs)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from amlocal.blobs.catalog import past, successor
from amlocal.blobs.errors import StorageError
from amlocal.blobs.rows import from_row
from amlocal.blobs.store import BlobStore
from amlocal.blobs.values import Blob

_MOST = 1000  # entries of a page
_AT_ONCE = 200  # rows asked for at once: what more a folder has is skipped, not read


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asked for; `marker` is what an earlier page ended with."""

    prefix: str = ""
    delimiter: str = ""
    marker: str = ""
    limit: int = 5000


@dataclass(frozen=True, slots=True)
class Page:
    """Blobs and the folders between them (each with its delimiter), and the next page's marker ("" on the last)."""

    blobs: tuple[Blob, ...]
    folders: tuple[str, ...]
    marker: str


def page(store: BlobStore, container: str, query: Query) -> Page:
    """Return one page, which may be shorter than asked for, as Azure's may: the marker tells whether more follows.

    Raises `ContainerNotFound`, and `StorageError` for a marker that no page ended with."""
    store.require_container(container)
    size = min(query.limit, _MOST)
    entries = list(islice(_entries(store, container, query), size + 1))
    shown, more = entries[:size], entries[size:]
    return Page(
        blobs=tuple(entry for entry in shown if isinstance(entry, Blob)),
        folders=tuple(entry for entry in shown if isinstance(entry, str)),
        marker=_marker(_behind(shown[-1])) if more else "",
    )


def names_below(store: BlobStore, container: str, prefix: str) -> Iterator[Blob | str]:
    """Yield what is directly below a prefix: blobs, and folders (each with its slash), whose content is not read."""
    return _entries(store, container, Query(prefix, "/"))


def _entries(store: BlobStore, container: str, query: Query) -> Iterator[Blob | str]:
    start = _start(query.marker)
    while rows := store.scan(container, query.prefix, start=start, limit=_AT_ONCE):
        folder = ""
        for row in rows:
            if folder and row["name"].startswith(folder):
                continue
            folder = _folder(row["name"], query) or ""
            entry = folder or from_row(row)
            yield entry
            start = _behind(entry)


def _folder(name: str, query: Query) -> str | None:
    end = name.find(query.delimiter, len(query.prefix)) if query.delimiter else -1
    return None if end < 0 else name[: end + len(query.delimiter)]


def _behind(entry: Blob | str) -> bytes:
    return past(entry) if isinstance(entry, str) else successor(entry.name)


def _marker(start: bytes) -> str:
    return urlsafe_b64encode(start).decode()


def _start(marker: str) -> bytes:
    try:
        return urlsafe_b64decode(marker)
    except ValueError as error:
        message = f"The marker {marker!r} is not one that a listing ended with."
        raise StorageError(400, "InvalidQueryParameterValue", message) from error
