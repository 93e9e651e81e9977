"""Folders as sets of blobs, and back: which files there are, and where each blob goes."""

from collections.abc import Iterator
from pathlib import Path

from amlocal.blobs.errors import UnsafePath


def files_below(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield every file below `folder` in name order. Links are followed, but not back into a folder they are in."""
    real = folder.resolve()
    if real in above:
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            yield from files_below(entry, (*above, real))
        elif entry.is_file():
            yield entry


def make_room(folder: Path, path: Path) -> None:
    """Make `path` below `folder`. Raises `UnsafePath` where a file is in its way."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UnsafePath(f"{path} below {folder} would have to be a file and a folder at once.") from error
