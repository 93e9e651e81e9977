"""How an archive is made, the same bytes from the same files, and unpacked, when nothing in it was changed."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from mlgates.core.errors import BuildRefused
from mlgates.core.files import sha256_of, sha256_of_path
from mlgates.core.values import UNKNOWN, SourceState

MANIFEST = "manifest.json"
# Neither the clock nor the file system may leave a trace in the bytes; zip knows no earlier time.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNIX = 3
_SHOWN = 5  # names of a summary


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
            raise BuildRefused(f"{shown}: {MANIFEST} in it is no manifest of a build") from error


@dataclass(frozen=True, slots=True)
class Build:
    """An archive, and what it holds."""

    file: Path
    sha256: str
    """Of the archive."""
    manifest: Manifest

    @property
    def summary(self) -> str:
        """All of it in one phrase."""
        count, commit = len(self.manifest.files), self.manifest.source.commit[:12]
        return f"{self.file.name}: {count} files of commit {commit}{self._left_out}, sha256 {self.sha256[:12]}"

    @property
    def _left_out(self) -> str:
        source = self.manifest.source
        if not source.dirty:
            return ""
        more = f" and {len(source.changes) - _SHOWN} more" if len(source.changes) > _SHOWN else ""
        names = f" ({', '.join(source.changes[:_SHOWN])}{more})" if source.changes else ""
        return f" without the local changes{names}"


def pack(files: Mapping[str, bytes], source: SourceState, into: Path) -> Build:
    """Pack `files` (content by POSIX path) into an archive in the folder `into`, named after its sha256.

    It is written whole or not at all.
    """
    contents = dict(sorted(files.items()))
    manifest = Manifest(source, {name: sha256_of(content) for name, content in contents.items()})
    into.mkdir(parents=True, exist_ok=True)
    part = into / "build.part"
    # Stored, not compressed: what a compressor makes of the same bytes changes from version to version.
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {MANIFEST: manifest.to_bytes(), **contents}.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, content)
    digest = sha256_of_path(part)
    return Build(part.replace(into / f"build-{digest[:12]}.zip"), digest, manifest)


def write_checksum(build: Build) -> Path:
    """Write the checksum beside the archive, in the form that `sha256sum --check` reads; return that file."""
    file = build.file.with_name(f"{build.file.name}.sha256")
    file.write_text(f"{build.sha256}  {build.file.name}\n", encoding="utf-8")
    return file


def unpack(file: Path, into: Path) -> Build:
    """Unpack an archive into the folder `into`, having compared every file with the manifest; return what it is.

    Raises `BuildRefused` with the first file that was changed, added, taken out, or lies outside of the folder.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if MANIFEST not in names:
                raise BuildRefused(f"{file}: there is no {MANIFEST} in it: it is no build of 'mlgates build'")
            manifest = Manifest.from_bytes(archive.read(MANIFEST), str(file))
            contents = {name: archive.read(name) for name in names if name != MANIFEST}
    except FileNotFoundError as error:
        raise BuildRefused(
            f"{file} is not there: make it with 'mlgates build', or name the one that dev passed"
        ) from error
    except (zipfile.BadZipFile, OSError) as error:
        raise BuildRefused(f"{file} is no build: {error}") from error
    _check(file, manifest, {name: sha256_of(content) for name, content in contents.items()})
    noted = file.with_name(f"{file.name}.sha256")
    if noted.is_file() and noted.read_text(encoding="utf-8").split()[:1] != [sha256_of_path(file)]:
        # All files are as the manifest says, so it was changed with them.
        raise BuildRefused(f"{file} was changed: {MANIFEST} is not what was built ({noted.name} names another sha256)")
    for name, content in contents.items():
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return Build(file, sha256_of_path(file), manifest)


def _check(file: Path, manifest: Manifest, found: dict[str, str]) -> None:
    for name in sorted(manifest.files.keys() | found.keys()):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise BuildRefused(f"{file}: {name} would lie outside of the project")
        if name not in found:
            raise BuildRefused(f"{file} was changed: {name} is missing from it")
        if name not in manifest.files:
            raise BuildRefused(f"{file} was changed: {name} was added to it")
        if found[name] != manifest.files[name]:
            raise BuildRefused(f"{file} was changed: {name} is not what was built")
