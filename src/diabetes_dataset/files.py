"""Reads and writes whole files; a write is seen whole or not at all."""

import os
from pathlib import Path

from diabetes_dataset.errors import DatasetError


def read(path: Path) -> bytes:
    """Return the content. Raises `DatasetError` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error


def write(path: Path, content: bytes) -> None:
    """Replace a file, folders above it included. Raises `DatasetError` with the old file untouched."""
    # In the same folder, as a rename across file systems is a copy that can stop half-way.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written ({error.strerror})") from error
