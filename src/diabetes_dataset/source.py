"""Where the data set is published, and which bytes it must be."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from diabetes_dataset.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Source:
    """A file on the web: `sha256` in lower-case hexadecimal."""

    url: str
    sha256: str


def read(path: Path) -> Source:
    """Read a source file (data/source.toml). Raises `DatasetError` when it cannot be read or is not as it must be."""
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        way_out = "start from the project's root, or name the file with --source"
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); {way_out}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not TOML ({error})") from error
    return Source(**{field.name: _text(path, declared, field.name) for field in fields(Source)})


def _text(path: Path, declared: dict[str, Any], key: str) -> str:
    value = declared.get(key)
    if not isinstance(value, str):
        raise DatasetError(f"{path}: key {key!r} must be there, and a string")
    return value
