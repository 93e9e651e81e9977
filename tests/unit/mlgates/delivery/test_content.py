import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from azure.core.exceptions import ResourceNotFoundError
from hypothesis import given
from hypothesis import strategies as st

from mlgates.delivery.content import checksum, find, fingerprint, held

names = st.text("abc", min_size=1, max_size=3)
trees = st.dictionaries(names, st.binary(max_size=20), min_size=1, max_size=4)
json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v, max_size=3))


def written(folder: Path, tree: dict[str, bytes]) -> Path:
    for name, content in tree.items():
        (folder / name).write_bytes(content)
    return folder


@given(content=st.binary(max_size=200))
def test_a_files_checksum_is_its_sha256(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("file") / "f"
    file.write_bytes(content)
    assert checksum(file) == hashlib.sha256(content).hexdigest()


def test_a_file_larger_than_a_block_is_read_whole(tmp_path: Path) -> None:
    content = b"x" * ((1 << 20) + 1)
    (tmp_path / "f").write_bytes(content)
    assert checksum(tmp_path / "f") == hashlib.sha256(content).hexdigest()


@given(one=trees, other=trees)
def test_folders_have_equal_checksums_when_they_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    first, second = (written(tmp_path_factory.mktemp("folder"), tree) for tree in (one, other))
    assert (checksum(first) == checksum(second)) == (one == other)


@given(st.dictionaries(st.text(), json_values))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(definition: dict[str, object]) -> None:
    assert fingerprint(definition) == fingerprint(dict(reversed(definition.items())))


@given(st.dictionaries(st.text(), json_values), st.text(), json_values)
def test_a_fingerprint_changes_with_any_value(definition: dict[str, object], key: str, value: object) -> None:
    changed = {**definition, key: value}
    assert (fingerprint(changed) == fingerprint(definition)) == (
        key in definition and repr(definition[key]) == repr(value)
    )


def version(number: int, **tags: str) -> SimpleNamespace:
    return SimpleNamespace(name="a", version=number, tags=tags or None)


def test_the_newest_version_with_the_tag_is_found() -> None:
    found = find(lambda: [version(3), version(2, sha="x"), version(1, sha="x")], "sha", "x")
    assert found is not None
    assert (found.version, found.created) == ("2", False)


def test_nothing_is_found_where_no_version_has_the_tag() -> None:
    assert find(lambda: [version(1, sha="y")], "sha", "x") is None


def test_an_asset_that_does_not_exist_has_no_versions() -> None:
    def missing() -> list[SimpleNamespace]:
        raise ResourceNotFoundError("no such asset")

    assert list(held(missing)) == []
