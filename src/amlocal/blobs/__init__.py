"""Azure Blob Storage over a folder: what azure-storage-blob needs to upload, list, read, describe and delete.

Block blobs only, one version each; of a blob's HTTP properties the content type and MD5 are kept.
"""

from amlocal.blobs.access import StorageAccess
from amlocal.blobs.routes import routes
from amlocal.blobs.store import BlobStore
from amlocal.blobs.values import (
    Blob,
    BlobNotFound,
    Chunk,
    ContainerNotFound,
    DamagedStore,
    StorageError,
    StorageFull,
    UnsafePath,
)

__all__ = [
    "Blob",
    "BlobNotFound",
    "BlobStore",
    "Chunk",
    "ContainerNotFound",
    "DamagedStore",
    "StorageAccess",
    "StorageError",
    "StorageFull",
    "UnsafePath",
    "routes",
]
