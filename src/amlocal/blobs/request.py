"""A storage request, its target taken apart: container, blob name, query."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from amlocal.blobs.errors import StorageError
from amlocal.core.http import Call

_META = "x-ms-meta-"


@dataclass(frozen=True, slots=True)
class Request:
    """Names and values are read from the raw target, percent-decoded once, with `+` as it is: so they were signed."""

    method: str
    raw_path: str
    origin: str  # scheme, host and port
    container: str  # "" for the account itself
    blob: str  # "" for the container itself
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]  # one iterator: what is left of it can be thrown away after a refusal

    @property
    def service(self) -> str:
        """The URL of the account, as the request spelled it."""
        return f"{self.origin}/{self.raw_path.split('/')[1]}"

    @property
    def operation(self) -> tuple[str, str, str]:
        """What tells one operation from another: method, `restype`, `comp`."""
        return self.method, self.query.get("restype", ""), self.query.get("comp", "")

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata that the headers carry."""
        return {key.removeprefix(_META): value for key, value in self.headers.items() if key.startswith(_META)}


def parse(call: Call, body: AsyncIterator[bytes]) -> Request:
    """Take a call apart. Raises `StorageError` when its target is not UTF-8, percent-encoded."""
    raw_path, _, query = call.target.partition("?")
    _, _, container, blob = (*raw_path.split("/", 3), "", "")[:4]
    address = urlsplit(call.url)
    return Request(
        method=call.method,
        raw_path=raw_path,
        origin=f"{address.scheme}://{address.netloc}",
        container=_decoded(container),
        blob=_decoded(blob),
        query=_parsed(query),
        headers=call.headers,
        body=body,
    )


def _parsed(query: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {_decoded(key): _decoded(value) for key, _, value in pairs}


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise StorageError(400, "InvalidUri", f"{text!r} is not percent-encoded UTF-8.") from error
