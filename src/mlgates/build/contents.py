"""What a build is made of: the content of each file of the project's parts, as the commit has it."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import PurePosixPath

from mlgates.build.tree import Found, Tree
from mlgates.core.checkout import PARTS, Checkout
from mlgates.core.errors import BuildRefused

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: at most 1024 bytes, the version first.
_LFS_POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n(?P<extended>(?:ext-[^\n]*\n)*)"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>[0-9]+)\n"
)
_LFS_SIZE = 1024
_LFS = "lfs"


def read_parts(checkout: Checkout, *, without: Iterable[str] = ()) -> dict[str, bytes]:
    """Return the content of each file by its path from the project: what is committed, not what lies there.

    Links become what they lead to within the commit, pointers of Git LFS the content that they stand for. What lies at
    the paths `without` (from the project's folder) is left out. Raises `BuildRefused` with the path that no build can
    hold, `SourceUnknown` for what git does not give.
    """
    root, tree = PurePosixPath(checkout.prefix), Tree(checkout)
    left_out = [(root / path).as_posix() for path in without]
    found: dict[str, Found] = {}
    for part in PARTS:
        for path, file in tree.walk((root / part).as_posix(), without=left_out):
            found[_checked(PurePosixPath(path).relative_to(root).as_posix())] = file
    return dict(sorted(_contents(found)))


def _contents(found: Mapping[str, Found]) -> Iterator[tuple[str, bytes]]:
    def source(name: str) -> tuple[str, str]:
        return str(found[name].checkout.toplevel), found[name].commit

    for _, group in groupby(sorted(found, key=source), key=source):
        names = list(group)
        checkout, commit = found[names[0]].checkout, found[names[0]].commit
        filters = checkout.filters(commit, [found[name].path for name in names])
        contents = checkout.blobs(found[name].entry.object for name in names)
        for name in names:
            driver = filters.get(found[name].path, _LFS)
            if driver != _LFS:
                raise BuildRefused(
                    f"{name}: the filter '{driver}' of this machine's git settings changes it at checkout, and a build "
                    "holds what is committed: commit the content itself"
                )
            yield name, _whole(name, found[name], contents[found[name].entry.object])


def _whole(name: str, file: Found, content: bytes) -> bytes:
    """Return the content that a pointer of Git LFS stands for, or `content` when it is none."""
    pointer = _LFS_POINTER.fullmatch(content) if len(content) <= _LFS_SIZE else None
    if pointer is None:
        return content
    oid, size = pointer["oid"].decode(), int(pointer["size"])
    if pointer["extended"]:
        raise BuildRefused(f"{name}: Git LFS keeps it with an extension, which a build cannot undo")
    stored = file.checkout.lfs_objects / oid[:2] / oid[2:4] / oid
    for place in (stored, file.checkout.toplevel / file.path):
        if place.is_file() and place.stat().st_size == size:
            whole = place.read_bytes()
            if hashlib.sha256(whole).hexdigest() == oid:
                return whole
    raise BuildRefused(f"{name}: Git LFS keeps it, and its content ({size} bytes) is not here: run 'git lfs pull'")


def _checked(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise BuildRefused(f"{name!r}: its name is no UTF-8, which no archive can keep: rename it") from error
    if "\\" in name:
        raise BuildRefused(f"{name}: a backslash in a name leads elsewhere on other machines: rename it")
    return name
