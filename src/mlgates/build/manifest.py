"""What an archive says of itself: the commit, and the sha256 of each file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from mlgates.core.errors import BuildRefused
from mlgates.core.values import UNKNOWN, SourceState

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of `manifest.json`."""

    source: SourceState
    files: Mapping[str, str]
    """sha256 by path, in POSIX form, relative to the project's folder."""

    def to_bytes(self) -> bytes:
        """Return the manifest as JSON, always the same bytes for the same content."""
        document = {
            "git_commit": self.source.commit,
            "git_dirty": self.source.dirty,
            "files": dict(sorted(self.files.items())),
        }
        return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes, shown: str) -> Self:
        """Read a manifest back. Raises `BuildRefused` for anything that is none."""
        try:
            document: Mapping[str, Any] = json.loads(content)
            if document["git_commit"] == UNKNOWN:
                raise BuildRefused(f"{shown}: it is of no known commit: build it again, in a git checkout")
            source = SourceState(str(document["git_commit"]), dirty=bool(document["git_dirty"]))
            return cls(source, {str(name): str(digest) for name, digest in document["files"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BuildRefused(f"{shown}: {NAME} in it is no manifest of a build") from error
