"""What Azure Storage says in headers about blobs and containers."""

from datetime import datetime
from email.utils import format_datetime

from amlocal.blobs.values import Blob


def etag_headers(blob: Blob) -> dict[str, str]:
    """Return what every write answers."""
    return {"ETag": f'"{blob.etag}"', "Last-Modified": http_date(blob.modified)}


def blob_headers(blob: Blob) -> dict[str, str]:
    """Return what is said of a blob besides the length and hash of what is sent."""
    metadata = {f"x-ms-meta-{name}": value for name, value in blob.metadata.items()}
    return {
        **etag_headers(blob),
        "Content-Type": blob.content_type,
        "Accept-Ranges": "bytes",
        "x-ms-creation-time": http_date(blob.created),
        "x-ms-blob-type": "BlockBlob",
        "x-ms-lease-state": "available",
        "x-ms-lease-status": "unlocked",
        "x-ms-server-encrypted": "true",
        "x-ms-access-tier": "Hot",
        "x-ms-access-tier-inferred": "true",
        **metadata,
    }


def container_headers(created: datetime) -> dict[str, str]:
    """Return what is said of a container; nothing about it changes after it was made."""
    return {
        "ETag": f'"0x{int(created.timestamp() * 1e6):X}"',
        "Last-Modified": http_date(created),
        "x-ms-lease-state": "available",
        "x-ms-lease-status": "unlocked",
        "x-ms-has-immutability-policy": "false",
        "x-ms-has-legal-hold": "false",
    }


def http_date(moment: datetime) -> str:
    """Return the moment as HTTP writes it, in whole seconds."""
    return format_datetime(moment, usegmt=True)
