import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.build.archive import MANIFEST, Manifest, pack, unpack
from mlgates.core.errors import BuildRefused
from mlgates.core.files import sha256_of_path
from mlgates.core.values import SourceState

SOURCE = SourceState("c0ffee" * 6, dirty=False)
names = st.text("abcäß- .", min_size=1, max_size=6).filter(lambda name: name.strip(". "))
trees = st.dictionaries(names, st.binary(max_size=50), min_size=1, max_size=5)


def parts(tree: dict[str, bytes]) -> dict[str, bytes]:
    return {f"part/{name}": content for name, content in tree.items()}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return pack(parts({"a.py": b"one", "b.yml": b"two"}), SOURCE, tmp_path / "dist").file


@given(trees)
def test_what_was_packed_is_unpacked(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("build")
    build = pack(parts(tree), SOURCE, folder / "dist")
    again = unpack(build.file, folder / "out")
    assert {name: (folder / "out" / "part" / name).read_bytes() for name in tree} == tree
    assert (again.sha256, again.manifest) == (build.sha256, build.manifest)


@given(trees)
def test_the_same_files_give_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("build")
    one = pack(parts(tree), SOURCE, folder / "one")
    other = pack(dict(reversed(parts(tree).items())), SOURCE, folder / "other")
    assert one.file.read_bytes() == other.file.read_bytes()
    assert one.file.name == other.file.name


def test_one_other_byte_is_another_build(tmp_path: Path) -> None:
    made = [pack({"a": content}, SOURCE, tmp_path / "dist").sha256 for content in (b"one", b"onf")]
    assert made[0] != made[1]


def test_another_commit_is_another_build(tmp_path: Path) -> None:
    sources = (SOURCE, SourceState("d" * 40, dirty=False), SourceState(SOURCE.commit, dirty=True))
    assert len({pack({"a": b"one"}, source, tmp_path / "dist").sha256 for source in sources}) == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (SOURCE, "commit c0ffeec0ffee, sha256"),
        (SourceState(SOURCE.commit, dirty=True), "without the local changes, sha256"),
        (SourceState(SOURCE.commit, dirty=True, changes=("a", "b")), r"without the local changes \(a, b\), sha256"),
        (SourceState(SOURCE.commit, dirty=True, changes=tuple("abcdefg")), r"\(a, b, c, d, e and 2 more\), sha256"),
    ],
)
def test_a_build_says_what_is_not_in_it(tmp_path: Path, source: SourceState, said: str) -> None:
    assert re.search(said, pack({"a": b"one"}, source, tmp_path).summary)


def test_a_build_is_named_after_its_content(archive: Path) -> None:
    assert archive.name == f"build-{sha256_of_path(archive)[:12]}.zip"


def rewritten(archive: Path, change: dict[str, bytes | None]) -> Path:
    """Return a copy of an archive in which files are replaced, added, or (None) left out."""
    with zipfile.ZipFile(archive) as old:
        contents: dict[str, bytes | None] = {name: old.read(name) for name in old.namelist()}
    changed = archive.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w") as new:
        for name, content in (contents | change).items():
            if content is not None:
                new.writestr(name, content)
    return changed


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"part/a.py": b"evil"}, "part/a.py is not what was built"),
        ({"part/a.py": None}, "part/a.py is missing from it"),
        ({"part/c.py": b"new"}, "part/c.py was added to it"),
        ({"../c.py": b"new"}, "outside of the project"),
        ({"/etc/c.py": b"new"}, "outside of the project"),
        ({MANIFEST: None}, "no manifest.json in it"),
        ({MANIFEST: b"[]"}, "no manifest of a build"),
        ({MANIFEST: b'{"git_commit": "unknown", "git_dirty": false, "files": {}}'}, "of no known commit"),
    ],
)
def test_a_changed_archive_is_refused_and_nothing_unpacked(
    archive: Path, tmp_path: Path, change: dict[str, bytes | None], complaint: str
) -> None:
    with pytest.raises(BuildRefused, match=complaint):
        unpack(rewritten(archive, change), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_whose_manifest_was_changed_with_it_is_not_the_one_that_was_noted(
    archive: Path, tmp_path: Path
) -> None:
    archive.with_name(f"{archive.name}.sha256").write_text(f"{'0' * 64}  {archive.name}\n")
    with pytest.raises(BuildRefused, match=r"manifest.json is not what was built \(build-.*sha256 names another"):
        unpack(archive, tmp_path / "out")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(BuildRefused, match="is no build"):
        unpack(tmp_path / "x.zip", tmp_path)
    with pytest.raises(BuildRefused, match=r"is not there: make it with 'mlgates build'"):
        unpack(tmp_path / "y.zip", tmp_path)


@given(st.dictionaries(names, st.text("0123456789abcdef", min_size=64, max_size=64)), st.booleans())
def test_a_manifest_is_read_as_it_was_written(files: dict[str, str], dirty: bool) -> None:
    manifest = Manifest(SourceState("c0ffee", dirty=dirty), files)
    assert Manifest.from_bytes(manifest.to_bytes(), "x") == manifest
