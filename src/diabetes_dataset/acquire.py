"""Decides which bytes become the training set, and keeps what is already there from being lost."""

from dataclasses import dataclass
from pathlib import Path

from diabetes import patients
from diabetes_dataset import download, files, origin, source, stand_in
from diabetes_dataset.errors import DatasetError, Unavailable
from diabetes_dataset.origin import Kind, Origin
from diabetes_dataset.source import Source


@dataclass(frozen=True, slots=True)
class Outcome:
    """What lies at the wanted place now."""

    origin: Origin
    written: bool
    """False when this content was there before."""
    offline: str | None = None
    """Why the published data set could not be had; None when it was, or was not asked for."""


def fetch(output: Path, declared: Path, *, replace: bool = False) -> Outcome:
    """Put the published data set at `output`, or the stand-in when it cannot be reached; what is known stays.

    `declared` is the source file. Raises `DatasetError` when the download is not the published content, or when
    `output` holds something that is neither the data set nor recorded (`replace` gives it up, but for no stand-in).
    """
    published = source.read(declared)
    present = _present(output, published)
    if present and (present.origin is Kind.MICROSOFT_LEARN or not replace):
        return _place(output, files.read(output), present)
    if output.exists() and not replace:
        raise DatasetError(_in_the_way(output, present))
    try:
        content = download.fetch(published)
    except Unavailable as error:
        if output.exists() and not (present and present.origin is Kind.STAND_IN):
            raise Unavailable(f"{error}; {output} stays as it was") from error
        made = stand_in.content()
        return _place(output, made, _of_stand_in(made), offline=str(error))
    return _place(output, content, origin.of(content, Kind.MICROSOFT_LEARN))


def take(file: Path, output: Path, declared: Path, *, unverified: bool = False, replace: bool = False) -> Outcome:
    """Put a file that the person names at `output`.

    Raises `DatasetError` when it is not the published data set, unless `unverified`; then it must be a table that
    can be trained on (else `DataError`). Nothing but a stand-in gives way to it, unless `replace`.
    """
    published = source.read(declared)
    content = files.read(file)
    found = origin.of(content, Kind.MICROSOFT_LEARN)
    if found.sha256 != published.sha256:
        if not unverified:
            raise DatasetError(
                f"{file}: not the published data set (sha256 {found.sha256}, wanted {published.sha256}); "
                "add --unverified to train on it all the same"
            )
        patients.read(file)
        found = origin.of(content, Kind.FILE)
    return _replace(output, content, found, published, replace=replace)


def make(output: Path, declared: Path, *, replace: bool = False) -> Outcome:
    """Put the stand-in at `output`, on purpose. Raises `DatasetError` when other data is there, unless `replace`."""
    content = stand_in.content()
    return _replace(output, content, _of_stand_in(content), source.read(declared), replace=replace)


def _present(output: Path, published: Source) -> Origin | None:
    """Return the origin of what is there, None when nothing is or its content is known to nobody."""
    if not output.exists():
        return None
    content = files.read(output)
    if origin.digest(content) == published.sha256:
        return origin.of(content, Kind.MICROSOFT_LEARN)
    recorded = origin.read(output)
    return recorded if recorded and recorded.sha256 == origin.digest(content) else None


def _replace(output: Path, content: bytes, found: Origin, published: Source, *, replace: bool) -> Outcome:
    if output.exists() and not replace and files.read(output) != content:
        present = _present(output, published)
        # Only the stand-in can be made again wherever one is.
        if not present or present.origin is not Kind.STAND_IN:
            raise DatasetError(_in_the_way(output, present))
    return _place(output, content, found)


def _place(output: Path, content: bytes, found: Origin, *, offline: str | None = None) -> Outcome:
    """Write what is not there yet. The record goes first: a data set without one would be nobody's."""
    record, facts = origin.record_of(output), found.to_json().encode()
    if not record.exists() or files.read(record) != facts:
        files.write(record, facts)
    there = output.exists() and files.read(output) == content
    if not there:
        files.write(output, content)
    return Outcome(found, written=not there, offline=offline)


def _of_stand_in(content: bytes) -> Origin:
    return origin.of(content, Kind.STAND_IN, generator_version=stand_in.GENERATOR_VERSION)


def _in_the_way(output: Path, present: Origin | None) -> str:
    if present:
        return f"{output}: holds data of origin {present.origin}; move it away, or give it up with --replace"
    return (
        f"{output}: holds data of unknown origin; move it away, adopt it with --file {output} --unverified, "
        "or give it up with --replace"
    )
