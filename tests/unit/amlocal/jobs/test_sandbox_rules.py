"""What a sandbox asks of the system, and in which order: asked of a system of this test's own."""

import ctypes
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amlocal.jobs import sandbox

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can")
REFUSED = OSError(1, "refused")


class System:
    """A C library that does nothing but remember what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.fails: set[str] = set()
        self.version = 6
        self.sizes: list[int] = []
        self.rules: list[tuple[str, int]] = []

    def syscall(self, number: int, *arguments: Any) -> int:
        if number == sandbox._CREATE_RULESET and arguments[0] is None:
            return self.version
        if number == sandbox._CREATE_RULESET:
            self.sizes.append(arguments[1].value)
            return self._did("ruleset") or os.open(os.devnull, os.O_RDONLY)
        if number == sandbox._ADD_RULE:
            rule = arguments[2]._obj
            self.rules.append((str(Path(f"/proc/self/fd/{rule.folder}").readlink()), rule.access))
            return self._did("rule")
        return self._did("restrict")

    def prctl(self, option: int, value: int, *_: int) -> int:
        return self._did("privileges" if option == sandbox._NO_NEW_PRIVS else "drop", value)

    def unshare(self, flags: int) -> int:
        return self._did("user namespace" if flags & sandbox._NEWUSER else "namespace")

    def mount(self, source: bytes | None, target: bytes, kind: bytes | None, flags: Any, data: bytes | None) -> int:
        return self._did("cover" if kind else "bind" if source else "change", os.fsdecode(target), flags.value)

    def _did(self, what: str, *details: Any) -> int:
        self.calls.append((what, *details))
        return -1 if what in self.fails else 0

    @property
    def order(self) -> list[str]:
        return [call[0] for call in self.calls]


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    fake = System()
    monkeypatch.setattr(sandbox, "_LIBC", fake)
    return fake


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder to hide, `root/secret`, with neighbours."""
    for folder in ("root/secret/deep", "root/sec", "root/beside", "other"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("root/file", "root/secret/file", "root/secrets"):
        (tmp_path / file).touch()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "root" / "secret")
    return tmp_path


class TestLandlock:
    @pytest.mark.parametrize(("answered", "version"), [(-1, 0), (0, 0), (4, 4)])
    def test_has_the_version_that_the_system_says(self, system: System, answered: int, version: int) -> None:
        system.version = answered
        assert sandbox.landlock_version() == (version if sys.platform == "linux" else 0)

    def test_is_not_asked_for_elsewhere(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox, "sys", SimpleNamespace(platform="darwin"))
        assert sandbox.landlock_version() == 0

    @linux
    def test_allows_the_neighbours_of_what_is_hidden_alone(self, system: System, tree: Path) -> None:
        sandbox._allow_around(1, str(tree), [str(tree / "root" / "secret")], sandbox._ALL)
        allowed = {str(Path(path).relative_to(tree)) for path, _ in system.rules}
        assert allowed == {"other", "root/beside", "root/file", "root/sec", "root/secrets"}

    @linux
    def test_allows_of_a_file_what_files_have(self, system: System, tree: Path) -> None:
        rights = sandbox._ALL | sandbox._TRUNCATE
        sandbox._allow(1, str(tree / "root" / "file"), rights)
        sandbox._allow(1, str(tree / "other"), rights)
        assert [access for _, access in system.rules] == [sandbox._OF_FILES | sandbox._TRUNCATE, rights]

    @linux
    def test_passes_over_what_is_gone(self, system: System, tree: Path) -> None:
        sandbox._allow(1, str(tree / "gone"), sandbox._ALL)
        assert not system.rules

    @linux
    @pytest.mark.parametrize(("version", "size", "truncate"), [(2, 8, 0), (3, 8, 1), (4, 16, 1), (6, 24, 1)])
    def test_is_asked_for_what_its_version_knows(
        self, system: System, tree: Path, version: int, size: int, truncate: int
    ) -> None:
        sandbox.restrict(["/"], [str(tree / "other")], version)
        assert system.sizes == [size]
        assert system.rules == [(str(tree / "other"), sandbox._ALL | truncate * sandbox._TRUNCATE)]
        assert system.order == ["ruleset", "rule", "privileges", "restrict"]

    @linux
    @pytest.mark.parametrize(
        ("fails", "what"),
        [
            ("ruleset", "no ruleset"),
            ("rule", "no rule for /"),
            ("privileges", "no_new_privs"),
            ("restrict", "not restricted"),
        ],
    )
    def test_that_fails_is_not_taken_for_done(self, system: System, fails: str, what: str) -> None:
        system.fails = {fails}
        ctypes.set_errno(1)
        with pytest.raises(OSError, match=f"{what}.*not permitted"):
            sandbox.restrict([], [], 6)


@linux
class TestNamespace:
    @pytest.fixture
    def maps(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """Where the lines for a user namespace go, instead of to this process's own."""
        folder = tmp_path / "maps"
        folder.mkdir()

        def fake(path: str, *arguments: Any, **options: Any) -> Any:
            return (folder / Path(path).name).open(*arguments, **options)

        monkeypatch.setattr(sandbox, "open", fake, raising=False)
        monkeypatch.setattr(os, "getgid", lambda: 8)
        return folder

    @pytest.mark.parametrize(
        ("user", "fails", "order"),
        [
            (0, set(), ["namespace"]),
            (0, {"namespace"}, ["namespace", "user namespace"]),
            (7, set(), ["user namespace"]),
        ],
    )
    def test_is_of_an_own_user_unless_root_asks(
        self, system: System, maps: Path, monkeypatch: pytest.MonkeyPatch, user: int, fails: set[str], order: list[str]
    ) -> None:
        monkeypatch.setattr(os, "getuid", lambda: user)
        system.fails = fails
        sandbox._own_mounts()
        assert system.order == [*order, "change"]
        written = {file.name: file.read_text() for file in maps.iterdir()}
        lines = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": "8 8 1"}
        assert written == (lines if "user namespace" in order else {})

    def test_that_may_not_be_had_is_an_error(self, system: System, maps: Path) -> None:
        system.fails = {"namespace", "user namespace"}
        with pytest.raises(OSError, match="no user namespace"):
            sandbox._own_mounts()
        assert not list(maps.iterdir())

    def test_covers_then_allows_and_is_shut_at_last(
        self, system: System, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sandbox, "_own_mounts", lambda: None)
        hidden = str(tree / "root" / "secret")
        allowed = [f"{hidden}/deep", f"{hidden}/file"]
        sandbox.cover([hidden], allowed)
        assert [call[:2] for call in system.calls] == [
            ("cover", hidden),
            *(("bind", path) for path in allowed),
            ("change", hidden),
        ]
        assert system.calls[-1][2] & sandbox._RDONLY


class TestTheMeans:
    @pytest.fixture
    def entered(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        def enter(version: int, *, may_mount: bool, method: str | None) -> tuple[str, list[Any]]:
            done: list[Any] = []

            def cover(*_: Any) -> None:
                if not may_mount:
                    raise REFUSED
                done.append("covered")

            monkeypatch.setattr(sys, "platform", "linux")
            monkeypatch.setattr(sandbox, "landlock_version", lambda: version)
            monkeypatch.setattr(sandbox, "cover", cover)
            monkeypatch.setattr(sandbox, "restrict", lambda *arguments: done.append(arguments))
            return sandbox.enter(["/h"], ["/a"], method), done

        return enter

    @pytest.mark.parametrize(
        ("version", "may_mount", "method", "found", "done"),
        [
            (6, True, None, sandbox.NAMESPACE, ["covered", ([], [], 6)]),
            (1, True, None, sandbox.NAMESPACE, ["covered"]),
            (2, False, None, sandbox.LANDLOCK, [(["/h"], ["/a"], 2)]),
            (1, False, None, sandbox.NO_SANDBOX, []),
            (6, True, sandbox.LANDLOCK, sandbox.LANDLOCK, [(["/h"], ["/a"], 6)]),
            (6, True, sandbox.NO_SANDBOX, sandbox.NO_SANDBOX, []),
        ],
    )
    def test_are_the_first_that_the_system_grants(
        self, entered: Any, version: int, may_mount: bool, method: str | None, found: str, done: list[Any]
    ) -> None:
        assert entered(version, may_mount=may_mount, method=method) == (found, done)

    def test_that_were_asked_for_are_not_replaced(self, entered: Any) -> None:
        with pytest.raises(OSError, match="refused"):
            entered(6, may_mount=False, method=sandbox.NAMESPACE)


class TestTheCommand:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """What is entered, and what this process would become."""
        asked: list[Any] = []

        def enter(*arguments: Any) -> str:
            asked.append(arguments)
            return sandbox.NO_SANDBOX if arguments[2] == sandbox.NO_SANDBOX else sandbox.LANDLOCK

        monkeypatch.setattr(sandbox, "enter", enter)
        monkeypatch.setattr(os, "execv", lambda *arguments: asked.append(arguments))
        return asked

    def test_is_become_once_confined(self, system: System, asked: list[Any], tree: Path) -> None:
        real, link = tree.resolve() / "root" / "secret", tree / "root" / "link"
        sandbox.main([f"--hide={link}", "--allow=/", "--allow=/dev", "--", "/bin/x", "--hide=y", "--", "z"])
        assert asked == [([str(real)], ["/", "/dev"], None), ("/bin/x", ["/bin/x", "--hide=y", "--", "z"])]
        assert system.calls == [("drop", number) for number in sandbox._CAPABILITIES]

    def test_keeps_its_capabilities_where_nothing_confines_it(self, system: System, asked: list[Any]) -> None:
        sandbox.main([f"--method={sandbox.NO_SANDBOX}", "--", "/bin/x"])
        assert asked == [([], [], sandbox.NO_SANDBOX), ("/bin/x", ["/bin/x"])]
        assert not system.calls

    def test_may_be_missing_and_the_method_is_printed(
        self, system: System, asked: list[Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        sandbox.main(["--"])
        assert capsys.readouterr().out == f"{sandbox.LANDLOCK}\n"
        assert len(asked) == 1

    @pytest.mark.parametrize(
        ("name", "message"), [("enter", "cannot be sandboxed"), ("execv", "/bin/x cannot be started")]
    )
    def test_that_cannot_be_had_ends_with_a_reason(
        self, system: System, asked: list[Any], monkeypatch: pytest.MonkeyPatch, name: str, message: str
    ) -> None:
        def refuse(*_: Any) -> None:
            raise REFUSED

        monkeypatch.setattr(sandbox if name == "enter" else os, name, refuse)
        with pytest.raises(SystemExit, match=rf"amlocal: .*{message}.*refused"):
            sandbox.main(["--", "/bin/x"])
