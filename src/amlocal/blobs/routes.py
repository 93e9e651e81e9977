"""The routes of the storage account, and what all its operations share: access, refusals, headers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from amlocal.blobs.access import StorageAccess
from amlocal.blobs.reads import ReadOperations
from amlocal.blobs.requests import BlobRequest, parse_request
from amlocal.blobs.responses import error_body
from amlocal.blobs.signatures import VERSION
from amlocal.blobs.store import BlobStore
from amlocal.blobs.values import StorageError, check_blob, permission_missing
from amlocal.blobs.writes import WriteOperations
from amlocal.core.context import Clock, Ids, azure_date
from amlocal.core.http import SMALL, Call, Reply, Route

_METHODS = ("GET", "HEAD", "PUT", "DELETE", "POST")
_VERSIONS = frozenset({"snapshot", "versionid"})  # blobs have one version here


@dataclass(frozen=True, slots=True)
class BlobOperation:
    """What answers a request, and the permissions of which it takes one."""

    handler: Callable[[BlobRequest, frozenset[str]], Awaitable[Reply]]
    permissions: str


class BlobService:
    """Finds the operation of a request, checks who asks, and answers refusals in Azure Storage's XML."""

    def __init__(self, store: BlobStore, access: StorageAccess, *, clock: Clock, ids: Ids) -> None:
        reads, uploads = ReadOperations(store), WriteOperations(store)
        self._access = access
        self._clock = clock
        self._ids = ids
        self._of_blobs: Mapping[tuple[str, str, str], BlobOperation] = {
            ("GET", "", ""): BlobOperation(reads.get_blob, "r"),
            ("HEAD", "", ""): BlobOperation(reads.show_blob, "r"),
            ("PUT", "", ""): BlobOperation(uploads.put_blob, "wc"),
            ("PUT", "", "block"): BlobOperation(uploads.put_block, "wc"),
            ("PUT", "", "blocklist"): BlobOperation(uploads.put_block_list, "wc"),
            ("PUT", "", "metadata"): BlobOperation(uploads.set_metadata, "w"),
            ("DELETE", "", ""): BlobOperation(uploads.delete, "d"),
        }
        self._of_containers: Mapping[tuple[str, str, str], BlobOperation] = {
            ("GET", "container", ""): BlobOperation(reads.show_container, "r"),
            ("HEAD", "container", ""): BlobOperation(reads.show_container, "r"),
            ("GET", "container", "list"): BlobOperation(reads.list_blobs, "l"),
            ("PUT", "container", ""): BlobOperation(reads.create_container, "wc"),
        }

    async def answer(self, call: Call) -> Reply:
        """Answer one request to the storage account."""
        body = call.stream()
        request_id = self._ids()
        drained = _is_small(
            call
        )  # what is left of the large body of a caller without a credential is the server's to bound
        try:
            request = parse_request(call, body)
            if request.blob:
                check_blob(request.blob)
            granted = self._access.permissions(request)
            call.mark_authenticated()
            drained = True
            reply = await self._carry_out(request, granted)
        except StorageError as error:
            # A client reads the answer after sending its body: to close before would look like a lost connection.
            if drained:
                async for _ in body:
                    pass
            reply = self._refusal(error, call, request_id)
        return replace(reply, headers={**_common(call), "x-ms-request-id": request_id, **reply.headers})

    async def _carry_out(self, request: BlobRequest, granted: frozenset[str]) -> Reply:
        operation = (self._of_blobs if request.blob else self._of_containers).get(request.operation)
        if operation is None or not request.container or _VERSIONS.intersection(request.query):
            raise _not_served(request)
        if not granted.intersection(operation.permissions):
            raise permission_missing(operation.permissions, granted)
        return await operation.handler(request, granted)

    def _refusal(self, error: StorageError, call: Call, request_id: str) -> Reply:
        headers = {"x-ms-error-code": error.code, **error.headers}
        if call.method == "HEAD" or error.status == 304:
            return Reply(error.status, None, headers)
        body = error_body(error.code, error.message, request=request_id, now=azure_date(self._clock()))
        return Reply(error.status, body, headers, "application/xml")


def routes(store: BlobStore, access: StorageAccess, *, clock: Clock, ids: Ids) -> list[Route]:
    """Return the routes of the account under both of its roots; credentials are checked behind them."""
    answer = BlobService(store, access, clock=clock, ids=ids).answer
    return [
        Route(method, f"/{root}{path}", answer, auth="open", streaming=True)
        for root in access.roots
        for path in ("", "/{container}", "/{container}/{blob:path}")
        for method in _METHODS
    ]


def _is_small(call: Call) -> bool:
    length = call.headers.get("content-length", "")
    return len(length) < 6 and length.isdecimal() and int(length) <= SMALL


def _common(call: Call) -> dict[str, str]:
    echoed = call.headers.get("x-ms-client-request-id")
    headers = {"x-ms-version": call.headers.get("x-ms-version") or VERSION}
    return headers | ({"x-ms-client-request-id": echoed} if echoed else {})


def _not_served(request: BlobRequest) -> StorageError:
    what = ", ".join(f"{key}={request.query[key]}" for key in ("restype", "comp", *_VERSIONS) if key in request.query)
    message = f"amlocal does not serve {request.method} {request.raw_path} ({what or 'no comp'}) of Azure Storage."
    return StorageError(501, "NotImplemented", message)
