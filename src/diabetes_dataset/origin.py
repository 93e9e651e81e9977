"""Where the training set at hand came from: a record next to the file, whose facts can tag the data asset."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from diabetes_dataset.errors import DatasetError


class Kind(StrEnum):
    """Who made the data."""

    MICROSOFT_LEARN = "microsoft-learn"
    FILE = "file"
    STAND_IN = "stand-in"


@dataclass(frozen=True, slots=True)
class Origin:
    """Of one content: `sha256` in lower-case hexadecimal, `rows` without the header."""

    origin: Kind
    sha256: str
    rows: int
    generator_version: int | None = None
    """Of the stand-in alone."""

    def to_json(self) -> str:
        """Return the record as it is kept; what does not apply is left out."""
        facts = {key: value for key, value in asdict(self).items() if value is not None}
        return json.dumps(facts, indent=2) + "\n"


def of(content: bytes, kind: Kind, *, generator_version: int | None = None) -> Origin:
    """Describe the bytes of a CSV file with a header."""
    return Origin(kind, digest(content), max(len(content.splitlines()) - 1, 0), generator_version)


def digest(content: bytes) -> str:
    """Return the SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def record_of(dataset: Path) -> Path:
    """Return where the origin of a data set is kept: `diabetes.origin.json` for `diabetes.csv`."""
    return dataset.with_suffix(".origin.json")


def read(dataset: Path) -> Origin | None:
    """Return the origin that is kept for a data set, None without one. Raises `DatasetError` for a broken record."""
    path = record_of(dataset)
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return Origin(**{**facts, "origin": Kind(facts["origin"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DatasetError(f"{path}: not a record of origin ({error}); delete it") from error
