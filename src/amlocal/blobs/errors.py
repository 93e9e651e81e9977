"""What Azure Storage answers when it refuses.

Codes: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and common-rest-api-error-codes.
"""

import errno
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from amlocal.core.errors import AmlocalError, ApiError


class StorageError(ApiError):
    """An answer of the storage service that is not a success; it goes out as XML, with `headers` of its own."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, code=code)
        self.headers = dict(headers or {})


class BlobNotFound(StorageError):
    """404: the container is there, the blob is not."""

    def __init__(self, container: str, name: str) -> None:
        super().__init__(404, "BlobNotFound", f"There is no blob {name!r} in the container {container!r}.")


class ContainerNotFound(StorageError):
    """404: the container is not there, hence no blob either."""

    def __init__(self, container: str) -> None:
        super().__init__(404, "ContainerNotFound", f"There is no container {container!r}.")


class AuthenticationFailed(StorageError):
    """403: a signature that is wrong, out of its time, or that cannot be checked."""

    def __init__(self, reason: str) -> None:
        super().__init__(403, "AuthenticationFailed", f"Server failed to authenticate the request: {reason}")


class StorageFull(StorageError):
    """413: the disk (or the quota on it) has no room.

    507 would say it best, but clients of Azure Storage send a request that met a 5xx again for minutes; of the codes
    that they take as final, 413 (RFC 9110: content that the server is unable to process for its size) is the nearest.
    """

    def __init__(self, place: Path) -> None:
        message = f"No space left on the disk of {place}: nothing of this write was kept. Free some, send it again."
        super().__init__(413, "InsufficientStorage", message)


class UnsafePath(AmlocalError):
    """A blob whose name cannot become a path below the folder that it was asked into."""


class DamagedStore(AmlocalError):
    """A chunk file that a blob needs is missing or shorter than recorded: someone else changed the folder."""


def permission_missing(needed: str, granted: Iterable[str]) -> StorageError:
    """Return the 403 for a credential that lets in, but not for this; `needed` lists what each would do."""
    has = "".join(sorted(granted)) or "none"
    message = f"This request needs the permission {' or '.join(needed)}; the credential grants {has} here."
    return StorageError(403, "AuthorizationPermissionMismatch", message)


@contextmanager
def naming_full_disk(place: Path) -> Iterator[None]:
    """Turn a full disk at `place`, met by a file or by SQLite, into `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(place) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        raise StorageFull(place) from error
