"""Keeps a program that is not the server's own away from the workspace's files. Linux alone can.

Run as a script: `python -I -S sandbox.py --hide=FOLDER ... --allow=PATH ... -- COMMAND ...`. It becomes COMMAND, to
which what is below a hidden folder is not there, but for the paths that it is allowed. What the system grants first:

- a mount namespace (of its own user namespace, unless root asks): each hidden folder is covered by an empty one, into
  which the allowed paths are mounted; everything else is as it was;
- Landlock from its second version on (Linux 5.19): a list of what may be touched, which cannot say "all but". So it
  holds the neighbours of each hidden folder and of the folders above it: in those folders themselves nothing can be
  listed or made.

With either, Landlock where it is there keeps the memory, the environment and the open files of other processes shut
(the server runs as the same user), mounts as they are, and, from its sixth version on, signals within the program.
"""

import ctypes
import os
import sys

NAMESPACE, LANDLOCK, NO_SANDBOX = "mount namespace", "landlock", "nothing"
_NEWNS, _NEWUSER = 0x20000, 0x10000000  # linux/sched.h
_NOSUID, _NODEV, _RDONLY, _REMOUNT, _BIND, _REC, _PRIVATE = 2, 4, 1, 32, 4096, 16384, 1 << 18  # linux/mount.h
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same number on every architecture
_NO_NEW_PRIVS = 38  # linux/prctl.h
_VERSION_FLAG, _PATH_BENEATH = 1, 1
# linux/landlock.h: execute, write, read and (from the third version on) truncate a file; the rest is about folders.
_OF_FILES = 0b111
_TRUNCATE = 1 << 14
_ALL = (1 << 14) - 1
_SIGNALS = 0b10
_DROP_CAPABILITY = 24  # linux/prctl.h
# What only root has, and no job of Azure's: dac_read_search, sys_module, sys_rawio, sys_ptrace, sys_admin, mknod,
# perfmon (with which other processes' environments are read past Landlock), bpf. linux/capability.h
_CAPABILITIES = (2, 16, 17, 19, 21, 27, 38, 39)


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("folder", ctypes.c_int32))


_LIBC = ctypes.CDLL(None, use_errno=True)


def _checked(code: int, what: str) -> int:
    if code < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return code


def landlock_version() -> int:
    """Return the version of Landlock that this system has, 0 for one without."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_LIBC.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)))


def cover(hidden: list[str], allowed: list[str]) -> None:
    """Put an empty folder in the place of each hidden one, the allowed paths in it. Raises `OSError` where one may not.

    Paths are absolute and free of links.
    """
    _own_mounts()
    inside = [(path, os.open(path, os.O_PATH)) for path in allowed]
    for folder in hidden:
        _mount("tmpfs", folder, "tmpfs", _NOSUID | _NODEV, "size=1m,mode=700")
    for path, handle in inside:
        if os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112 - pathlib would double the time that this takes
            os.makedirs(path, exist_ok=True)  # noqa: PTH103
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        _mount(f"/proc/self/fd/{handle}", path, None, _BIND | _REC)
        os.close(handle)
    for folder in hidden:
        _mount(None, folder, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)
    os.chdir(os.getcwd())  # noqa: PTH109 - by its name: the folder as it was opened has the hidden ones above it


def _own_mounts() -> None:
    user, group = os.getuid(), os.getgid()
    if user != 0 or _LIBC.unshare(_NEWNS) != 0:
        _checked(_LIBC.unshare(_NEWNS | _NEWUSER), "no user namespace")
        for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(line)
    _mount(None, "/", None, _REC | _PRIVATE)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    done = _LIBC.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])
    _checked(done, f"mount on {target}")


def restrict(hidden: list[str], allowed: list[str], version: int) -> None:
    """Leave this process everything but what is below a hidden folder, for good. Raises `OSError`."""
    rights = _ALL | (_TRUNCATE if version >= 3 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _Ruleset(rights, 0, _SIGNALS if version >= 6 else 0)
    rules = _checked(_LIBC.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0), "no ruleset")
    for path in allowed:
        _allow(rules, path, rights)
    _allow_around(rules, "/", hidden, rights)
    _checked(_LIBC.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _checked(_LIBC.syscall(_RESTRICT_SELF, rules, 0), "not restricted")
    os.close(rules)


def _allow_around(rules: int, path: str, hidden: list[str], rights: int) -> None:
    if path in hidden:
        return
    if not any(folder.startswith(path.rstrip("/") + "/") for folder in hidden):
        _allow(rules, path, rights)
        return
    with os.scandir(path) as entries:
        # Not through links: what they lead to is allowed, or not, by its own name.
        below = [entry.path for entry in entries if not entry.is_symlink()]
    for entry in below:
        _allow_around(rules, entry, hidden, rights)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    except (FileNotFoundError, PermissionError):  # gone since it was listed, or shut anyway
        return
    if not os.path.isdir(path):  # noqa: PTH112
        rights &= _OF_FILES | _TRUNCATE
    rule = _Beneath(rights, handle)
    _checked(_LIBC.syscall(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(rule), 0), f"no rule for {path}")
    os.close(handle)


def enter(hidden: list[str], allowed: list[str], method: str | None = None) -> str:
    """Confine this process; return the method that was found, or was to be used. Raises `OSError` when it fails."""
    version = landlock_version()
    if sys.platform == "linux" and method in (None, NAMESPACE):
        try:
            cover(hidden, allowed)
        except OSError:
            if method:
                raise
        else:
            if version >= 2:
                restrict([], [], version)
            return NAMESPACE
    if version >= 2 and method in (None, LANDLOCK):
        restrict(hidden, allowed, version)
        return LANDLOCK
    return NO_SANDBOX


def main(arguments: list[str]) -> None:
    """Confine this process and become the command; without one, print by which method it was sandboxed."""
    at = arguments.index("--")
    options = [argument.partition("=")[::2] for argument in arguments[:at]]
    hidden, allowed = (
        [os.path.realpath(value) for key, value in options if key == name] for name in ("--hide", "--allow")
    )
    method = next((value for key, value in options if key == "--method"), None)
    try:
        found = enter(hidden, allowed, method)
    except OSError as error:
        sys.exit(f"amlocal: the program cannot be sandboxed from the workspace's files ({error})")
    command = arguments[at + 1 :]
    if found != NO_SANDBOX:
        for capability in _CAPABILITIES:  # gone with the next program; others than root have none to lose
            _LIBC.prctl(_DROP_CAPABILITY, capability, 0, 0, 0)
    if not command:
        print(found)  # noqa: T201 - the answer
        return
    try:
        os.execv(command[0], command)  # noqa: S606 - what the caller wants confined
    except OSError as error:
        sys.exit(f"amlocal: {command[0]} cannot be started ({error})")


if __name__ == "__main__":
    main(sys.argv[1:])
