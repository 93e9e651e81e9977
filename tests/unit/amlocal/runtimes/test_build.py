"""An environment is built once, under a name that is the same when the same would be built."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from amlocal.runtimes.definitions.conda import conda_requirements, parse_conda
from amlocal.runtimes.errors import BuildCancelled
from amlocal.runtimes.interpreters import Interpreter
from amlocal.runtimes.resolve import fingerprint, make_once
from amlocal.runtimes.runtime import PackageRequirements


def _whole(making: Path) -> None:
    (making / "whole").touch()


def _make(folder: Path, cancelled: threading.Event | None = None) -> list[str]:
    log: list[str] = []
    make_once(folder, _whole, log=log.append, cancelled=cancelled or threading.Event())
    return log


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir())


def test_the_folder_is_filled_and_nothing_else_remains(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "made"
    _make(folder)
    assert ([path.name for path in folder.iterdir()], _left(folder)) == (["whole"], ["made", "made.lock"])


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    _make(folder)
    assert list(folder.iterdir()) == []


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(making: Path) -> None:
        (making / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make_once(tmp_path / "made", fail, log=print, cancelled=threading.Event())
    assert _left(tmp_path / "made") == ["made.lock"]


class _Slow:
    """A maker that waits to be released, and counts."""

    def __init__(self) -> None:
        self.started, self.release, self.count = threading.Event(), threading.Event(), 0

    def __call__(self, making: Path) -> None:
        self.count += 1
        self.started.set()
        assert self.release.wait(30)


def test_two_who_ask_at_once_get_one_folder(tmp_path: Path) -> None:
    slow, waiting = _Slow(), threading.Event()
    folder = tmp_path / "made"
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(make_once, folder, slow, log=print, cancelled=threading.Event())
        assert slow.started.wait(30)
        second = pool.submit(make_once, folder, slow, log=lambda _: waiting.set(), cancelled=threading.Event())
        assert waiting.wait(30)
        slow.release.set()
        assert (first.result(30), second.result(30)) == (None, None)
    assert slow.count == 1


def test_who_waits_can_be_cancelled(tmp_path: Path) -> None:
    slow, cancelled = _Slow(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(make_once, tmp_path / "made", slow, log=print, cancelled=threading.Event())
        assert slow.started.wait(30)
        cancelled.set()
        with pytest.raises(BuildCancelled):
            _make(tmp_path / "made", cancelled)
        slow.release.set()
        assert first.result(30) is None


PYTHON = Interpreter(Path("/python"), (3, 11, 7))
PACKAGES = ["numpy=2.4", "scikit-learn>=1.9,<1.10", "ruamel.yaml", "conda-forge::pandas==2.3.3", "typing_extensions"]


def _key(*requirements: str) -> str:
    return fingerprint(PackageRequirements(requirements=requirements), PYTHON)


@given(
    st.permutations(PACKAGES),
    st.sampled_from([[], ["conda-forge"], ["defaults", "nvidia"]]),
    st.sampled_from(["", "numpy=1", "- x"]),
)
def test_order_channels_names_and_comments_do_not_matter(
    packages: list[str], channels: list[str], comment: str
) -> None:
    text = f"# {comment}\n" + yaml.safe_dump({"name": "x", "channels": channels, "dependencies": packages})
    plain = yaml.safe_dump({"dependencies": PACKAGES})
    assert fingerprint(conda_requirements(parse_conda(text)), PYTHON) == fingerprint(
        conda_requirements(parse_conda(plain)), PYTHON
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("numpy>=1,<2", "numpy <2, >=1"),
        ("Ruamel_Yaml", "ruamel.yaml"),
        ("requests[socks,a]", "requests[a, socks]"),
        ("x==1 --hash=a:1 --hash=a:2", "x==1  --hash=a:2 --hash=a:1"),
    ],
)
def test_spelling_does_not_matter(one: str, other: str) -> None:
    assert _key(one) == _key(other)


def test_asking_twice_is_asking_once() -> None:
    assert _key("numpy", "numpy") == _key("numpy")


DIFFERENT = [
    (PackageRequirements(), PYTHON),
    (PackageRequirements(requirements=("numpy",)), PYTHON),
    (PackageRequirements(requirements=("numpy==1",)), PYTHON),
    (PackageRequirements(requirements=("numpy[x]",)), PYTHON),
    (PackageRequirements(requirements=("git+https://example.org/numpy.git",)), PYTHON),
    (PackageRequirements(constraints=("numpy",)), PYTHON),
    (PackageRequirements(options=("--no-index",)), PYTHON),
    (PackageRequirements(options=("--extra-index-url a", "--extra-index-url b")), PYTHON),
    (PackageRequirements(options=("--extra-index-url b", "--extra-index-url a")), PYTHON),
    (PackageRequirements(flags=("--no-index",)), PYTHON),
    (PackageRequirements(), Interpreter(Path("/python"), (3, 11, 8))),
    (PackageRequirements(), Interpreter(Path("/other"), (3, 11, 7))),
]


def test_every_difference_that_changes_the_environment_changes_the_key() -> None:
    assert len({fingerprint(required, python) for required, python in DIFFERENT}) == len(DIFFERENT)


def test_what_is_only_said_does_not_matter() -> None:
    said = PackageRequirements(python=SpecifierSet(">=3"), notes=("a note",))
    assert fingerprint(said, PYTHON) == fingerprint(PackageRequirements(), PYTHON)


def test_a_local_folder_counts_by_content_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "one" / "pkg").mkdir(parents=True)
    (tmp_path / "one" / "pkg" / "a.py").write_text("1")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    same = _key(str(tmp_path / "one")) == _key(str(tmp_path / "two"))
    (tmp_path / "two" / "pkg" / "a.py").write_text("2")
    assert (same, _key(str(tmp_path / "one")) == _key(str(tmp_path / "two"))) == (True, False)


def test_a_local_archive_counts_by_name_content_and_extras(tmp_path: Path) -> None:
    for name, content in (("a.whl", "1"), ("b.whl", "1"), ("c/a.whl", "1"), ("d/a.whl", "2")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    keys = [_key(str(tmp_path / name)) for name in ("a.whl", "c/a.whl", "b.whl", "d/a.whl", "a.whl[x]")]
    assert (keys[0] == keys[1], len(set(keys))) == (True, 4)
