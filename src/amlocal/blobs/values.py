"""What the store holds, as values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of bytes under its SHA-256; `block` is the id it was staged under, for blobs made of blocks."""

    digest: str
    size: int
    block: str = ""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a writer says about a blob besides its bytes. `content_md5` is base64, as the wire has it."""

    content_type: str = OCTETS
    content_md5: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as it was when it was looked up: its bytes are those of `chunks`, in order."""

    container: str
    name: str
    size: int
    etag: str  # without quotes
    created: datetime
    modified: datetime
    content_type: str
    content_md5: str | None
    metadata: Mapping[str, str]
    chunks: Sequence[Chunk]

    @property
    def marks_folder(self) -> bool:
        """Whether it stands for a directory: `name/`, or the metadata that hierarchical clients write."""
        return self.name.endswith("/") or self.metadata.get("hdi_isfolder", "").lower() == "true"


Guard = Callable[[Blob | None], None]  # sees what a write would replace, within its transaction; raises to refuse


def no_guard(_: Blob | None) -> None:
    """Let every write pass."""
