"""Which source a run is started from: the commit that git has of a project, and how the files there differ from it.

Nothing but the commit is believed: not the flags of the index (`assume-unchanged`, `skip-worktree`), no variable or
setting that leads git elsewhere, no replaced object.
"""

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlgates.core.errors import NoCheckout, SourceUnknown
from mlgates.core.values import UNKNOWN, SourceState

PARTS = ("src", "mlops", "data", "pyproject.toml", "requirements.lock")
"""What delivery takes from a project: sources, everything declared, samples and expectation suites, and the lock."""

# The variables that lead git to another repository, index or object than the folder's own: `git rev-parse
# --local-env-vars` lists most. Those of the settings stay, since CI systems declare `safe.directory` by them.
_MISLEADING = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_CEILING_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_EXTERNAL_DIFF",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_SETTINGS = {
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.splitIndex": "false",
    "core.sparseCheckout": "false",
    "core.quotePath": "false",
    "status.renames": "false",
    "status.relativePaths": "false",
}
_OBJECT_NAMES = {40: "sha1", 64: "sha256"}
"""By length of an object's name, what git hashes it with."""
# The names that azure-ai-ml itself reads for the run's own git properties.
_COMMIT, _DIRTY = "AZUREML_GIT_COMMIT", "AZUREML_GIT_DIRTY"
_HEXADECIMAL = re.compile(r"[0-9a-f]{3,64}")


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a commit: mode (octal, as git writes it), kind (`blob`, `commit`) and the object's name."""

    mode: str
    kind: str
    object: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder in a git checkout, and the commit that is checked out there."""

    root: Path
    toplevel: Path
    """The folder of the whole checkout, which `root` lies in or is."""
    commit: str

    @classmethod
    def of(cls, root: Path) -> "Checkout":
        """Return the checkout that `root` lies in.

        Raises `NoCheckout` where there is none, `SourceUnknown` with git's own reason where git does not say: no git,
        a folder of another owner, no commit yet, a commit without any file of this folder.
        """
        root = root.resolve()
        said = run_git(root, "rev-parse", "--show-toplevel")
        toplevel = Path(os.fsdecode(said.removesuffix(b"\n"))).resolve()
        if not root.is_relative_to(toplevel):
            raise SourceUnknown(f"git takes {toplevel} for the checkout of {root}, and it does not lie there")
        try:
            commit = run_git(root, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}").decode().strip()
        except SourceUnknown as error:
            raise SourceUnknown(f"{root} has no commit yet: commit what is to be built or tested") from error
        checkout = cls(root, toplevel, commit)
        if checkout.prefix and not run_git(root, "ls-tree", "--full-tree", "-d", commit, "--", checkout.prefix):
            raise NoCheckout(
                f"{root} is no git checkout of its own: commit {commit[:12]} of {toplevel} holds nothing of it"
            )
        return checkout

    @property
    def prefix(self) -> str:
        """The path of `root` below the top level, in POSIX form; empty for the top level itself."""
        return "" if self.root == self.toplevel else self.root.relative_to(self.toplevel).as_posix()

    def entries(self, commit: str | None = None) -> Mapping[str, TreeEntry]:
        """Return all paths of a commit, the checked-out one by default, from the top level. Raises `SourceUnknown`."""
        listed = run_git(self.toplevel, "ls-tree", "-r", "-z", "--full-tree", commit or self.commit)
        found = {}
        for line in filter(None, listed.split(b"\0")):
            facts, _, name = line.partition(b"\t")
            mode, kind, entry = facts.decode().split()
            found[os.fsdecode(name)] = TreeEntry(mode, kind, entry)
        return found

    def blobs(self, names: Iterable[str]) -> Mapping[str, bytes]:
        """Return the content of blobs, by object name. Raises `SourceUnknown` for one that is missing or damaged."""
        wanted = list(dict.fromkeys(names))
        answer = run_git(self.toplevel, "cat-file", "--batch", given="".join(f"{name}\n" for name in wanted).encode())
        found, at = {}, 0
        for name in wanted:
            end = answer.index(b"\n", at)
            head = answer[at:end].decode(errors="replace")
            if not head.startswith(f"{name} blob "):
                raise SourceUnknown(
                    f"{self.toplevel}: git does not hold the content {name[:12]} of the commit ({head})"
                )
            size = int(head.rpartition(" ")[2])
            content = answer[end + 1 : end + 1 + size]
            if hashlib.new(_OBJECT_NAMES[len(name)], b"blob %d\0" % size + content).hexdigest() != name:
                raise SourceUnknown(f"{self.toplevel}: git's object {name[:12]} is damaged: 'git fsck' tells more")
            found[name], at = content, end + size + 2
        return found

    @property
    def lfs_objects(self) -> Path:
        """The folder in which Git LFS keeps contents (git-lfs-config(5), `lfs.storage`). Raises `SourceUnknown`."""
        common = self.toplevel / os.fsdecode(run_git(self.toplevel, "rev-parse", "--git-common-dir").rstrip(b"\n"))
        storage = run_git(self.toplevel, "config", "--default", "lfs", "--path", "--get", "lfs.storage")
        return common / os.fsdecode(storage.rstrip(b"\n")) / "objects"

    def filters(self, commit: str, paths: Iterable[str]) -> Mapping[str, str]:
        """Return the filter that this machine's git applies to each path at checkout, where it applies one."""
        drivers = set(self._filter_drivers())
        if not drivers:
            return {}
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        with tempfile.TemporaryDirectory(prefix="mlgates-index-") as folder:
            index = Path(folder) / "index"
            run_git(self.toplevel, "read-tree", commit, index=index)
            said = run_git(self.toplevel, "check-attr", "--cached", "-z", "--stdin", "filter", given=given, index=index)
        words = [os.fsdecode(word) for word in said.split(b"\0")]
        return {path: driver for path, driver in zip(words[::3], words[2::3], strict=False) if driver in drivers}

    def _filter_drivers(self) -> Iterator[str]:
        for line in run_git(self.toplevel, "config", "-z", "--list").split(b"\0"):
            key, _, command = os.fsdecode(line).partition("\n")
            name = key.removeprefix("filter.").rpartition(".")
            if key.startswith("filter.") and name[2] in {"smudge", "process"} and command not in {"", "cat"}:
                yield name[0]

    def changes(self) -> list[str]:
        """Return the paths, from the top level, that differ from the commit, are not in it, or are gone; sorted.

        Files that a .gitignore names are no changes. Raises `SourceUnknown`.
        """
        # Against an index of our own, which has no flags and no times: git looks at every file.
        with tempfile.TemporaryDirectory(prefix="mlgates-index-") as folder:
            index = Path(folder) / "index"
            run_git(self.toplevel, "read-tree", self.commit, index=index)
            options = ("--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=dirty", "--no-renames")
            status = run_git(self.toplevel, "status", *options, index=index)
            hidden = self._hidden(index)
        changed = {os.fsdecode(line[3:]) for line in status.split(b"\0") if line}
        return sorted(changed | hidden | set(self._in_submodules()))

    def submodule(self, path: str) -> "Checkout | None":
        """Return the checkout of the submodule at `path`, None when it is not checked out. Raises `SourceUnknown`."""
        folder = self.toplevel / path
        return Checkout.of(folder) if (folder / ".git").exists() else None

    def _in_submodules(self) -> Iterator[str]:
        # Asked of each itself: the status of the whole would believe the flags of their indexes.
        for path, entry in self.entries().items():
            if entry.kind == "commit" and (module := self.submodule(path)):
                yield from (f"{path}/{name}" for name in module.changes())

    def _hidden(self, index: Path) -> set[str]:
        """Return new files of the project's parts that only this machine's own settings (info/exclude) ignore."""
        parts = [(PurePosixPath(self.prefix) / part).as_posix() for part in PARTS]
        options = ("--others", "-z", "--exclude-per-directory=.gitignore")
        listed = run_git(self.toplevel, "--literal-pathspecs", "ls-files", *options, "--", *parts, index=index)
        return {os.fsdecode(name) for name in listed.split(b"\0") if name}


def source_state(root: Path, environ: Mapping[str, str]) -> SourceState:
    """Return the state of the checkout at `root`; without one, what `AZUREML_GIT_COMMIT` and `AZUREML_GIT_DIRTY` say.

    Raises `NoCheckout` when neither is there; `SourceUnknown` with git's own reason when git does not say, and when
    the variable names another commit than git, or none.
    """
    given = _from_environment(environ)
    try:
        checkout = Checkout.of(root)
    except NoCheckout:
        if given is None:
            raise
        return given
    if given and given.commit != checkout.commit:
        raise SourceUnknown(
            f"{_COMMIT} tells of commit {given.commit[:12]}, and {root} is at {checkout.commit[:12]}: unset it"
        )
    changes = tuple(checkout.changes())
    return SourceState(checkout.commit, dirty=bool(changes) or bool(given and given.dirty), changes=changes)


def source_or_unknown(root: Path, environ: Mapping[str, str]) -> SourceState:
    """Return the state as `source_state` does, `unknown` outside of any checkout.

    For what decides nothing: a model that is trained there says of itself that its commit is unknown.
    """
    try:
        return source_state(root, environ)
    except NoCheckout:
        return SourceState(UNKNOWN, dirty=False)


def run_git(folder: Path, *arguments: str, given: bytes = b"", index: Path | None = None) -> bytes:
    """Run git in `folder` and return what it prints.

    Raises `NoCheckout` where there is no repository, `SourceUnknown` with git's own reason for any other refusal.
    """
    settings = (word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}"))
    command = ["git", "-C", str(folder), "--no-replace-objects", *settings, *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, env=_environ(index))  # noqa: S603 - git from PATH
    except OSError as error:
        raise NoCheckout(f"git cannot be run ({error.strerror}), and only git tells the commit of {folder}") from error
    if done.returncode == 0:
        return done.stdout
    reason = " ".join(_lines(done.stderr)) or f"git {arguments[0]} ended with {done.returncode} and said nothing"
    if "not a git repository" in reason:
        raise NoCheckout(f"{folder} is no git checkout ({reason})")
    raise SourceUnknown(f"git does not tell the commit of {folder}: {reason}")


def _environ(index: Path | None) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _MISLEADING and not name.startswith("GIT_TRACE")
    }
    # Reasons in English, as they are looked for; nothing asked of a person; no index but ours is written.
    own = {"LC_ALL": "C", "LANGUAGE": "", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    return kept | own | ({"GIT_INDEX_FILE": str(index)} if index else {})


def _lines(said: bytes) -> Iterator[str]:
    for line in said.decode(errors="replace").splitlines():
        if text := line.strip().removeprefix("fatal: "):
            yield text


def _from_environment(environ: Mapping[str, str]) -> SourceState | None:
    commit = environ.get(_COMMIT, "").strip().lower()
    if not commit:
        return None
    if not _HEXADECIMAL.fullmatch(commit):
        raise SourceUnknown(f"{_COMMIT} is '{commit}', which is no commit: unset it, or give the full name of one")
    return SourceState(commit, dirty=environ.get(_DIRTY, "").strip().lower() in {"1", "true"})
