import contextlib
import hashlib
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from azure.core.exceptions import ResourceNotFoundError
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.files import sha256_of_json, sha256_of_path
from mlgates.delivery.content import find_version, list_versions
from mlgates.delivery.deployed import checksum_in

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
    assert sha256_of_path(file) == hashlib.sha256(content).hexdigest()


def test_a_file_larger_than_a_block_is_read_whole(tmp_path: Path) -> None:
    content = b"x" * ((1 << 20) + 1)
    (tmp_path / "f").write_bytes(content)
    assert sha256_of_path(tmp_path / "f") == hashlib.sha256(content).hexdigest()


@given(one=trees, other=trees)
def test_folders_have_equal_checksums_when_they_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    first, second = (written(tmp_path_factory.mktemp("folder"), tree) for tree in (one, other))
    assert (sha256_of_path(first) == sha256_of_path(second)) == (one == other)


@given(st.dictionaries(st.text(), json_values))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(definition: dict[str, object]) -> None:
    assert sha256_of_json(definition) == sha256_of_json(dict(reversed(definition.items())))


@given(st.dictionaries(st.text(), json_values), st.text(), json_values)
def test_a_fingerprint_changes_with_any_value(definition: dict[str, object], key: str, value: object) -> None:
    changed = {**definition, key: value}
    assert (sha256_of_json(changed) == sha256_of_json(definition)) == (
        key in definition and repr(definition[key]) == repr(value)
    )


def version(number: int, **tags: str) -> SimpleNamespace:
    return SimpleNamespace(name="a", version=number, tags=tags or None)


def test_the_newest_version_with_the_tag_is_found() -> None:
    found = find_version(lambda: [version(3), version(2, sha="x"), version(1, sha="x")], "sha", "x")
    assert found is not None
    assert (found.version, found.created) == ("2", False)


def test_nothing_is_found_where_no_version_has_the_tag() -> None:
    assert find_version(lambda: [version(1, sha="y")], "sha", "x") is None


def test_an_asset_that_does_not_exist_has_no_versions() -> None:
    def missing() -> list[SimpleNamespace]:
        raise ResourceNotFoundError("no such asset")

    assert list(list_versions(missing)) == []


paths = st.lists(
    st.lists(st.text("ab.-_ é", min_size=1, max_size=3).filter(lambda name: name.strip(". ")), min_size=1, max_size=3),
    max_size=5,
).map(lambda some: {"/".join(parts) for parts in some})


@given(paths)
def test_the_log_of_a_deployment_gives_the_checksum_of_the_folder(names: set[str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        (folder / "MLmodel").write_text("it")
        for name in names:
            with contextlib.suppress(OSError):  # a file where another has a folder
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(name)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        lines = [
            f"[amlocal] sha256 {sha256_of_path(file)} {json.dumps(f'm/{file.relative_to(folder)}')}" for file in files
        ]
        log = "\n".join(["Model m: 9 files, 1 bytes.", f"Model m: {len(files)} files, 7 bytes.", *lines])
        assert checksum_in(log) == sha256_of_path(folder)


@pytest.mark.parametrize(
    "log",
    [
        "",
        "Download went well",
        "Model m: 2 files, 7 bytes.\nsha256 " + "0" * 64 + ' "m/MLmodel"',
        "Model m: 1 files, 7 bytes.\nsha256 " + "0" * 64 + ' "m/other"',
    ],
)
def test_a_log_that_does_not_list_the_whole_model_tells_nothing(log: str) -> None:
    assert checksum_in(log) is None
