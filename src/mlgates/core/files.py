"""How files are written, whole or not at all, and what their content is known by."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any


def write_whole(file: Path, content: str | bytes) -> Path:
    """Write `file` whole or not at all, its folder made when it is not there; return it.

    A reader, or a program that is started again after this one was killed, never sees half of it. Of several that
    write it at once the last one wins.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        return part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sha256_of(content: bytes) -> str:
    """Return the sha256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_json(document: Any) -> str:
    """Return the sha256 of JSON values, whatever the order of their keys; what is no JSON counts as its text."""
    return sha256_of(json.dumps(document, sort_keys=True, default=str).encode())


def sha256_of_path(path: Path) -> str:
    """Return the sha256 of a file, or of a folder's relative paths and contents."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    files = (file for file in path.rglob("*") if file.is_file())
    return sha256_of_folder({file.relative_to(path).as_posix(): sha256_of_path(file) for file in files})


def sha256_of_folder(files: Mapping[str, str]) -> str:
    """Return the sha256 of a folder, as `sha256_of_path` does, from its relative paths and the sha256 of each file."""
    return sha256_of("".join(f"{path}\0{files[path]}\n" for path in sorted(files, key=PurePosixPath)).encode())
