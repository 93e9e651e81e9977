"""Pages of a container's names, flat or as folders (learn.microsoft.com/rest/api/storageservices/list-blobs)."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from itertools import islice
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from amlocal.blobs.catalog import after_name, after_prefix, from_row
from amlocal.blobs.responses import XML_DECLARATION, element
from amlocal.blobs.store import BlobStore
from amlocal.blobs.values import Blob, StorageError

_PAGE_SIZE = 1000  # entries of a page
_ROWS_AT_ONCE = 200  # rows asked for at once: what more a folder has is skipped, not read
# What all blobs have in common.
_SAME = (
    "<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred>"
    "<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted>"
)
# Not characters of XML 1.0, or (tab, CR, LF) changed by its parsers.
_NOT_PLAIN = re.compile(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a client asked for; `marker` is what an earlier page ended with."""

    prefix: str = ""
    delimiter: str = ""
    marker: str = ""
    limit: int = 5000


@dataclass(frozen=True, slots=True)
class ListPage:
    """Blobs and the folders between them (each with its delimiter), and the next page's marker ("" on the last)."""

    blobs: tuple[Blob, ...]
    folders: tuple[str, ...]
    marker: str


def page(store: BlobStore, container: str, query: ListQuery) -> ListPage:
    """Return one page, which may be shorter than asked for, as Azure's may: the marker tells whether more follows.

    Raises `ContainerNotFound`, and `StorageError` for a marker that no page ended with."""
    store.require_container(container)
    size = min(query.limit, _PAGE_SIZE)
    entries = list(islice(_entries(store, container, query), size + 1))
    shown, more = entries[:size], entries[size:]
    return ListPage(
        blobs=tuple(entry for entry in shown if isinstance(entry, Blob)),
        folders=tuple(entry for entry in shown if isinstance(entry, str)),
        marker=_marker(_behind(shown[-1])) if more else "",
    )


def names_below(store: BlobStore, container: str, prefix: str) -> Iterator[Blob | str]:
    """Yield what is directly below a prefix: blobs, and folders (each with its slash), whose content is not read."""
    return _entries(store, container, ListQuery(prefix, "/"))


def _entries(store: BlobStore, container: str, query: ListQuery) -> Iterator[Blob | str]:
    start = _start(query.marker)
    while rows := store.scan(container, query.prefix, start=start, limit=_ROWS_AT_ONCE):
        folder = ""
        for row in rows:
            if folder and row["name"].startswith(folder):
                continue
            folder = _folder(row["name"], query) or ""
            entry = folder or from_row(row)
            yield entry
            start = _behind(entry)


def _folder(name: str, query: ListQuery) -> str | None:
    end = name.find(query.delimiter, len(query.prefix)) if query.delimiter else -1
    return None if end < 0 else name[: end + len(query.delimiter)]


def _behind(entry: Blob | str) -> bytes:
    return after_prefix(entry) if isinstance(entry, str) else after_name(entry.name)


def _marker(start: bytes) -> str:
    return urlsafe_b64encode(start).decode()


def _start(marker: str) -> bytes:
    try:
        return urlsafe_b64decode(marker)
    except ValueError as error:
        message = f"The marker {marker!r} is not one that a listing ended with."
        raise StorageError(400, "InvalidQueryParameterValue", message) from error


def listing_body(page: ListPage, query: ListQuery, *, service: str, container: str, metadata: bool) -> bytes:
    """Return the answer to a listing; `metadata` adds that of every blob."""
    head = f"<EnumerationResults ServiceEndpoint={quoteattr(service)} ContainerName={quoteattr(container)}>"
    asked = "".join(
        _name_element(tag, value)
        for tag, value in (("Prefix", query.prefix), ("Marker", query.marker), ("Delimiter", query.delimiter))
        if value
    )
    entries = sorted(
        [(blob.name, _blob_element(blob, metadata=metadata)) for blob in page.blobs]
        + [(folder, f"<BlobPrefix>{_name_element('Name', folder)}</BlobPrefix>") for folder in page.folders]
    )
    items = "".join(item for _, item in entries)
    tail = f"<Blobs>{items}</Blobs>{element('NextMarker', page.marker)}</EnumerationResults>"
    return f"{XML_DECLARATION}{head}{asked}{element('MaxResults', str(query.limit))}{tail}".encode()


def _blob_element(blob: Blob, *, metadata: bool) -> str:
    properties = "".join(element(name, value) for name, value in _properties(blob))
    pairs = "".join(element(name, value) for name, value in blob.metadata.items()) if metadata else ""
    more = f"<Metadata>{pairs}</Metadata>" if metadata else ""
    return f"<Blob>{_name_element('Name', blob.name)}<Properties>{properties}{_SAME}</Properties>{more}</Blob>"


def _properties(blob: Blob) -> Iterator[tuple[str, str]]:
    yield "Creation-Time", format_datetime(blob.created, usegmt=True)
    yield "Last-Modified", format_datetime(blob.modified, usegmt=True)
    yield "Etag", blob.etag
    yield "Content-Length", str(blob.size)
    yield "Content-Type", blob.content_type
    if blob.content_md5:
        yield "Content-MD5", blob.content_md5


def _name_element(tag: str, name: str) -> str:
    """Return an element for a name; one that XML cannot hold as it is goes percent-encoded, marked as such."""
    if _NOT_PLAIN.search(name):
        return f'<{tag} Encoded="true">{quote(name)}</{tag}>'
    return element(tag, name)
