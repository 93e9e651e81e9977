"""The content of each file of a commit: links followed, submodules and Git LFS brought in, or refused by name."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePosixPath

from mlgates.core.checkout import PARTS, Checkout, TreeEntry
from mlgates.core.errors import BuildRefused, SourceUnknown

_LINK, _MODULE = "120000", "commit"
_LINKS_AT_MOST = 40  # as Linux counts them before it calls it a loop


_LFS_POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n(?P<extended>(?:ext-[^\n]*\n)*)"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>[0-9]+)\n"
)
_LFS_SIZE = 1024
_LFS = "lfs"


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a commit, and the checkout that holds it."""

    checkout: Checkout
    commit: str
    path: str
    """From the top level of that checkout."""
    entry: TreeEntry


@dataclass(slots=True)
class Tree:
    """The files of a commit by their paths from the top level; submodules are looked into when a path leads there."""

    checkout: Checkout
    _files: dict[str, Found] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)
    """The links, and what each says that it leads to."""
    _modules: dict[str, str] = field(default_factory=dict)
    """Submodules that nobody has looked into yet, and the commits that are recorded for them."""

    def __post_init__(self) -> None:
        self._add("", self.checkout, self.checkout.commit)

    def walk(self, path: str, *, without: Iterable[str] = ()) -> Iterator[tuple[str, Found]]:
        """Yield the files at `path` or below it, under their own names, with the place where each really is.

        What really lies at one of the paths `without` is left out. Raises `BuildRefused` for a link that leads out of
        the checkout, nowhere, or back to itself, and for a submodule that is not there.
        """
        return self._walk(path, tuple(without), ())

    def _walk(self, path: str, without: tuple[str, ...], inside: tuple[str, ...]) -> Iterator[tuple[str, Found]]:
        real = self._resolved(path)
        if real in inside:
            raise BuildRefused(f"{path} is a link that leads back to itself: a build cannot hold it")
        while module := next((name for name in self._modules if _lies_in(name, real)), None):
            self._bring_in(module)
        below = sorted(name for name in (*self._files, *self._links) if _lies_in(name, real))
        if not below and path in self._links:
            raise BuildRefused(f"{path} is a link to {self._links[path]}, where the commit holds nothing")
        for name in below:
            if any(_lies_in(name, other) for other in without):
                continue
            shown = f"{path}{name.removeprefix(real)}"
            if name in self._files:
                yield shown, self._files[name]
            else:
                for inner, found in self._walk(name, without, (*inside, real)):
                    yield f"{shown}{inner.removeprefix(name)}", found

    def _resolved(self, path: str) -> str:
        """Return the path that `path` leads to once no part of it is a link. Raises `BuildRefused`."""
        done, ahead, followed = PurePosixPath(), list(PurePosixPath(path).parts), 0
        while ahead:
            part = ahead.pop(0)
            if part == "..":
                if done == PurePosixPath():
                    raise _leads_out(path, self._links.get(path, path))
                done = done.parent
                continue
            step = (done / part).as_posix()
            if step in self._modules:
                self._bring_in(step)
            target = self._links.get(step)
            if target is None:
                done = PurePosixPath(step)
                continue
            followed += 1
            if followed > _LINKS_AT_MOST:
                raise BuildRefused(f"{path} is a link that leads back to itself: a build cannot hold it")
            if target.startswith("/"):
                raise _leads_out(step, target)
            ahead = [*PurePosixPath(target).parts, *ahead]
        return done.as_posix()

    def _bring_in(self, module: str) -> None:
        commit = self._modules.pop(module)
        lacking = f"the submodule {module} is not there at commit {commit[:12]}, which the project records"
        remedy = "run 'git submodule update --init --recursive'"
        try:
            checkout = self.checkout.submodule(module)
            if checkout is None:
                raise BuildRefused(f"{lacking}: {remedy}")
            self._add(f"{module}/", checkout, commit)
        except SourceUnknown as error:
            raise BuildRefused(f"{lacking} ({error}): {remedy}") from error

    def _add(self, below: str, checkout: Checkout, commit: str) -> None:
        entries = checkout.entries(commit)
        links = {path: entry.object for path, entry in entries.items() if entry.mode == _LINK}
        said = checkout.blobs(links.values())
        self._links |= {f"{below}{path}": said[name].decode(errors="surrogateescape") for path, name in links.items()}
        for path, entry in entries.items():
            if entry.kind == _MODULE:
                self._modules[f"{below}{path}"] = entry.object
            elif path not in links:
                self._files[f"{below}{path}"] = Found(checkout, commit, path, entry)


def _lies_in(path: str, folder: str) -> bool:
    return folder in {path, "."} or path.startswith(f"{folder}/")


def _leads_out(path: str, target: str) -> BuildRefused:
    return BuildRefused(f"{path} is a link to {target}, outside of the checkout: a build cannot hold it")


# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: at most 1024 bytes, the version first.


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
            found[_checked_name(PurePosixPath(path).relative_to(root).as_posix())] = file
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


def _checked_name(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise BuildRefused(f"{name!r}: its name is no UTF-8, which no archive can keep: rename it") from error
    if "\\" in name:
        raise BuildRefused(f"{name}: a backslash in a name leads elsewhere on other machines: rename it")
    return name
