"""Environments and data are registered once for one content."""

import contextlib
import hashlib
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from azure.ai.ml import MLClient
from azure.core.exceptions import ResourceNotFoundError
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.project import Project
from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.files import sha256_of_json, sha256_of_path
from mlgates.delivery.assets import register_data, register_environment
from mlgates.delivery.operations import checksum_in
from mlgates.delivery.sdk import find_version, list_versions


def change(file: Path, **values: object) -> None:
    document = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**document, **values}))


@pytest.fixture
def train_csv(project: Project) -> Path:
    return project.root / "data" / "train.csv"


class TestEnvironment:
    def test_is_registered_under_the_configured_name(self, client: MLClient, project: Project) -> None:
        version = register_environment(client, project, "train-env")
        assert (str(version), version.created) == ("train-env:1", True)

    def test_keeps_the_tags_of_its_file(self, client: MLClient, project: Project) -> None:
        assert register_environment(client, project, "train-env").tags["team"] == "a"

    def test_with_the_same_content_keeps_its_version(self, client: MLClient, project: Project) -> None:
        register_environment(client, project, "train-env")
        again = register_environment(client, project, "train-env")
        assert (str(again), again.created) == ("train-env:1", False)

    def test_with_another_description_keeps_its_version(self, client: MLClient, project: Project) -> None:
        register_environment(client, project, "train-env")
        change(project.training / "train-env.yml", description="better words")
        assert not register_environment(client, project, "train-env").created

    def test_with_other_packages_gets_a_new_version(self, client: MLClient, project: Project) -> None:
        register_environment(client, project, "train-env")
        change(project.training / "train-conda.yml", dependencies=["python=3.12"])
        assert str(register_environment(client, project, "train-env")) == "train-env:2"

    def test_that_went_back_finds_its_old_version(self, client: MLClient, project: Project) -> None:
        register_environment(client, project, "train-env")
        file = project.training / "train-env.yml"
        before = file.read_text()
        change(file, image="img:2")
        register_environment(client, project, "train-env")
        file.write_text(before)
        assert str(register_environment(client, project, "train-env")) == "train-env:1"

    def test_built_from_a_folder_changes_with_its_files(self, client: MLClient, project: Project) -> None:
        docker = project.training / "docker"
        docker.mkdir()
        (docker / "Dockerfile").write_text("FROM a")
        (project.training / "train-env.yml").write_text(yaml.safe_dump({"name": "e", "build": {"path": "docker"}}))
        register_environment(client, project, "train-env")
        (docker / "Dockerfile").write_text("FROM b")
        assert register_environment(client, project, "train-env").created


class TestData:
    def test_is_tagged_with_its_checksum(self, client: MLClient, project: Project, train_csv: Path) -> None:
        version = register_data(client, project, "patients")
        assert (str(version), version.tags["sha256"]) == ("patients:1", sha256_of_path(train_csv))

    def test_with_the_same_content_keeps_its_version(self, client: MLClient, project: Project) -> None:
        register_data(client, project, "patients")
        assert not register_data(client, project, "patients").created

    def test_with_new_rows_gets_a_new_version(self, client: MLClient, project: Project, train_csv: Path) -> None:
        register_data(client, project, "patients")
        train_csv.write_text("a,b\n1,2\n3,4\n")
        assert str(register_data(client, project, "patients")) == "patients:2"

    def test_that_is_not_there_says_how_to_get_it(self, client: MLClient, project: Project, train_csv: Path) -> None:
        train_csv.unlink()
        with pytest.raises(AssetMissing, match=r"^data/train.csv.* is not there: ask Ann$"):
            register_data(client, project, "patients")

    def test_does_not_carry_the_hint_for_people_into_the_workspace(self, client: MLClient, project: Project) -> None:
        assert "how_to_get" not in register_data(client, project, "patients").tags

    def test_is_tagged_with_its_recorded_origin(self, client: MLClient, project: Project, train_csv: Path) -> None:
        record = {"origin": "stand-in", "rows": 1, "sha256": sha256_of_path(train_csv)}
        train_csv.with_name("train.origin.json").write_text(json.dumps(record))
        tags = register_data(client, project, "patients").tags
        assert (tags["origin"], tags["rows"]) == ("stand-in", "1")

    def test_takes_no_origin_from_a_record_of_other_content(
        self, client: MLClient, project: Project, train_csv: Path
    ) -> None:
        train_csv.with_name("train.origin.json").write_text(json.dumps({"origin": "x", "sha256": "0" * 64}))
        assert "origin" not in register_data(client, project, "patients").tags

    @pytest.mark.parametrize("text", ["{", "[1]", '"text"'])
    def test_with_a_broken_record_of_origin_is_refused(
        self, client: MLClient, project: Project, train_csv: Path, text: str
    ) -> None:
        train_csv.with_name("train.origin.json").write_text(text)
        with pytest.raises(ConfigurationError, match=r"data/train.origin.json must be a JSON object"):
            register_data(client, project, "patients")

    def test_can_be_another_file(self, client: MLClient, project: Project, tmp_path: Path) -> None:
        other = tmp_path / "other.csv"
        other.write_text("a,b\n9,9\n")
        assert register_data(client, project, "patients", instead=other).tags["sha256"] == sha256_of_path(other)

    def test_cannot_be_a_file_that_is_not_there(self, client: MLClient, project: Project, tmp_path: Path) -> None:
        with pytest.raises(AssetMissing, match=r"is not there: name another file$"):
            register_data(client, project, "patients", instead=tmp_path / "none.csv")

    def test_in_the_cloud_is_known_by_its_uri(self, client: MLClient, project: Project) -> None:
        uri = "azureml://datastores/workspaceblobstore/paths/patients.csv"
        change(project.training / "dataset.yml", path=uri)
        version = register_data(client, project, "patients")
        assert (version.tags["source_uri"], "sha256" in version.tags) == (uri, False)

    def test_in_the_cloud_keeps_its_version(self, client: MLClient, project: Project) -> None:
        change(project.training / "dataset.yml", path="https://example.com/patients.csv")
        register_data(client, project, "patients")
        assert not register_data(client, project, "patients").created


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "is not there"),
        ("name: [x", "while parsing"),
        ("name: x\ntype: uri_file\n", "path: Missing data for required field"),
        ("name: x\ntype: csv\npath: x\n", "type: Must be one of: uri_file, uri_folder, mltable"),
        ("name: x\ntype: uri_file\npath: x\ncolour: red\n", "colour: Unknown field"),
        ("", "empty"),
    ],
)
def test_a_broken_declaration_is_one_line_with_file_and_field(
    client: MLClient, project: Project, text: str | None, complaint: str
) -> None:
    file = project.training / "dataset.yml"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"^mlops/continuous-training/dataset.yml[^\n]*{complaint}[^\n]*$"):
        register_data(client, project, "patients")


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
def test_a_log_that_does_not_list_the_whole_model_reports_nothing(log: str) -> None:
    assert checksum_in(log) is None
