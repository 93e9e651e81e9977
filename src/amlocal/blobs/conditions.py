"""The conditional headers (learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from amlocal.blobs.errors import StorageError
from amlocal.blobs.values import Blob


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold of the blob for a request to be carried out."""

    match: str | None
    none_match: str | None
    modified_since: datetime | None
    unmodified_since: datetime | None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Conditions":
        """Read the conditions of a request. Raises `StorageError` for a date that is none."""
        return cls(
            headers.get("if-match"),
            headers.get("if-none-match"),
            _date(headers, "if-modified-since"),
            _date(headers, "if-unmodified-since"),
        )

    def check_read(self, blob: Blob) -> None:
        """Raise `StorageError` 304 for what the client has already, 412 for what is no longer what it had."""
        if self._changed(blob):
            raise _failed(412)
        if self._unchanged(blob):
            raise _failed(304)

    def check_write(self, blob: Blob | None) -> None:
        """Raise `StorageError` 409 when the blob was to be new and is there, 412 when another condition fails."""
        if self.none_match == "*" and blob is not None:
            raise StorageError(409, "BlobAlreadyExists", f"The blob {blob.name!r} already exists.")
        if self._changed(blob) or self._unchanged(blob):
            raise _failed(412)

    def _changed(self, blob: Blob | None) -> bool:
        if blob is None:
            return self.match is not None
        moved = self.unmodified_since is not None and blob.modified.replace(microsecond=0) > self.unmodified_since
        return moved or (self.match is not None and not _names(self.match, blob))

    def _unchanged(self, blob: Blob | None) -> bool:
        if blob is None:
            return False
        still = self.modified_since is not None and blob.modified.replace(microsecond=0) <= self.modified_since
        return still or (self.none_match is not None and _names(self.none_match, blob))


def _names(tags: str, blob: Blob) -> bool:
    return tags == "*" or blob.etag in (tag.strip().strip('"') for tag in tags.split(","))


def _failed(status: int) -> StorageError:
    return StorageError(status, "ConditionNotMet", "The condition that the request's headers state does not hold.")


def _date(headers: Mapping[str, str], name: str) -> datetime | None:
    if name not in headers:
        return None
    try:
        return parsedate_to_datetime(headers[name]).replace(tzinfo=UTC)  # HTTP dates are all in GMT
    except ValueError as error:
        raise StorageError(400, "InvalidHeaderValue", f"{name}: {headers[name]!r} is not an HTTP date.") from error
