"""The XML that Azure Storage writes and reads."""

import re
from collections.abc import Iterator
from email.utils import format_datetime
from urllib.parse import quote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from amlocal.blobs.blocks import Choice, Source
from amlocal.blobs.errors import StorageError
from amlocal.blobs.listing import Page, Query
from amlocal.blobs.values import Blob

_MOST_BLOCKS = 50_000  # of a blob (learn.microsoft.com/rest/api/storageservices/put-block-list)
_PIECE = 2**14  # bytes
# A tag that no block list has: expat would look for its end again with every piece, and make names of its attributes.
_LONG_TAG = re.compile(rb"<[^<>]{256}")
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
# What all blobs have in common.
_SAME = (
    "<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred>"
    "<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted>"
)
# Not characters of XML 1.0, or (tab, CR, LF) changed by its parsers.
_NOT_PLAIN = re.compile(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff]")


def error_body(code: str, message: str, *, request: str, now: str) -> bytes:
    """Return the body of a refusal; Azure appends the request's id and the time to the message."""
    text = f"{message}\nRequestId:{request}\nTime:{now}"
    return f"{_DECLARATION}<Error>{_element('Code', code)}{_element('Message', text)}</Error>".encode()


def listing_body(page: Page, query: Query, *, service: str, container: str, metadata: bool) -> bytes:
    """Return the answer to a listing; `metadata` adds that of every blob."""
    head = f"<EnumerationResults ServiceEndpoint={quoteattr(service)} ContainerName={quoteattr(container)}>"
    asked = "".join(
        _name(tag, value)
        for tag, value in (("Prefix", query.prefix), ("Marker", query.marker), ("Delimiter", query.delimiter))
        if value
    )
    entries = sorted(
        [(blob.name, _blob(blob, metadata=metadata)) for blob in page.blobs]
        + [(folder, f"<BlobPrefix>{_name('Name', folder)}</BlobPrefix>") for folder in page.folders]
    )
    items = "".join(item for _, item in entries)
    tail = f"<Blobs>{items}</Blobs>{_element('NextMarker', page.marker)}</EnumerationResults>"
    return f"{_DECLARATION}{head}{asked}{_element('MaxResults', str(query.limit))}{tail}".encode()


_SOURCES = {source.value: source for source in Source}  # `Source(...)` takes ten times as long


class _PlainTree(ET.TreeBuilder):
    def doctype(self, *_: str | None) -> None:
        """Refuse what a block list has no use for: entities could make a small one huge."""
        raise ValueError("a document type is not taken")


def read_block_list(content: bytes) -> list[Choice]:
    """Return the entries of a block list, in order. Raises `StorageError` when it is not one, or has too many."""
    if content.count(b"<") > 2 * _MOST_BLOCKS + 4:
        raise StorageError(400, "BlockListTooLong", f"A block list names {_MOST_BLOCKS} blocks at most.")
    if _LONG_TAG.search(content):
        raise StorageError(400, "InvalidXmlDocument", "The block list is not valid: it holds a tag of over 256 bytes.")
    try:
        # Whatever it declares: other encodings are looked up among all codecs that Python has.
        parser = ET.XMLParser(target=_PlainTree(), encoding="utf-8")  # noqa: S314 - the tree refuses entities
        for start in range(0, len(content), _PIECE):  # between two pieces, other threads have their turn
            parser.feed(content[start : start + _PIECE])
        root = parser.close()
        return [Choice(_SOURCES[element.tag], (element.text or "").strip()) for element in root]
    except KeyError as error:
        message = f"The block list is not valid: it holds <{error.args[0][:80]}>."
        raise StorageError(400, "InvalidXmlDocument", message) from error
    except (ET.ParseError, ValueError) as error:
        raise StorageError(400, "InvalidXmlDocument", f"The block list is not valid: {error}.") from error


def _blob(blob: Blob, *, metadata: bool) -> str:
    properties = "".join(_element(name, value) for name, value in _properties(blob))
    pairs = "".join(_element(name, value) for name, value in blob.metadata.items()) if metadata else ""
    more = f"<Metadata>{pairs}</Metadata>" if metadata else ""
    return f"<Blob>{_name('Name', blob.name)}<Properties>{properties}{_SAME}</Properties>{more}</Blob>"


def _properties(blob: Blob) -> Iterator[tuple[str, str]]:
    yield "Creation-Time", format_datetime(blob.created, usegmt=True)
    yield "Last-Modified", format_datetime(blob.modified, usegmt=True)
    yield "Etag", blob.etag
    yield "Content-Length", str(blob.size)
    yield "Content-Type", blob.content_type
    if blob.content_md5:
        yield "Content-MD5", blob.content_md5


def _name(tag: str, name: str) -> str:
    """Return an element for a name; one that XML cannot hold as it is goes percent-encoded, marked as such."""
    if _NOT_PLAIN.search(name):
        return f'<{tag} Encoded="true">{quote(name)}</{tag}>'
    return _element(tag, name)


def _element(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>"
