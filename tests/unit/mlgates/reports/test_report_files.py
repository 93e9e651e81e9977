import json
import os
from pathlib import Path

import pytest

from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.gates import GateRecord
from mlgates.reports.report_files import read_newest, write, write_gate, write_pipeline
from tests.unit.mlgates.reports.examples import DEV, PIPELINE, PROD


def test_a_gate_is_written_in_every_form(tmp_path: Path) -> None:
    file = write_gate(PROD, tmp_path)
    assert file == tmp_path / "gates" / "prod.html"
    assert {path.name for path in file.parent.iterdir()} == {"prod.json", "prod.junit.xml", "prod.md", "prod.html"}


def test_a_pipeline_is_written_in_every_form(tmp_path: Path) -> None:
    file = write(PIPELINE, tmp_path)
    assert file == tmp_path / "pipelines" / "prod.html"
    assert {path.name for path in file.parent.iterdir()} == {"prod.json", "prod.md", "prod.html"}


def test_what_was_written_is_read_back_as_it_was(tmp_path: Path) -> None:
    write_gate(PROD, tmp_path)
    write_pipeline(PIPELINE, tmp_path)
    assert read_newest(tmp_path, gate="prod") == PROD
    assert read_newest(tmp_path, pipeline="prod") == PIPELINE


def test_the_newest_of_all_is_the_default(tmp_path: Path) -> None:
    for when, file in enumerate((write_gate(DEV, tmp_path), write_pipeline(PIPELINE, tmp_path))):
        os.utime(file.with_suffix(".json"), (when, when))
    assert read_newest(tmp_path) == PIPELINE
    os.utime(tmp_path / "gates" / "dev.json", (9, 9))
    assert isinstance(read_newest(tmp_path), GateRecord)


def test_no_record_at_all_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="run 'mlgates gate' or 'mlgates pipeline' first"):
        read_newest(tmp_path)


def test_a_gate_without_a_record_says_which_have_one(tmp_path: Path) -> None:
    write_gate(DEV, tmp_path)
    with pytest.raises(AssetMissing, match=r"no record of gate 'dex'\. Did you mean 'dev'"):
        read_newest(tmp_path, gate="dex")
    with pytest.raises(AssetMissing, match="Run 'mlgates pipeline prod' first"):
        read_newest(tmp_path, pipeline="prod")


@pytest.mark.parametrize("text", ["not JSON", "[]", "{}", json.dumps({**DEV.to_dict(), "results": [{}]})])
def test_a_file_that_is_no_record_says_so_on_one_line(tmp_path: Path, text: str) -> None:
    write_gate(DEV, tmp_path).with_suffix(".json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"dev.json is not a record that this version wrote .*: run the gate"):
        read_newest(tmp_path)


def test_a_record_from_before_there_were_pictures_can_still_be_read(tmp_path: Path) -> None:
    document = DEV.to_dict()
    del document["pictures"]
    write_gate(DEV, tmp_path).with_suffix(".json").write_text(json.dumps(document))
    assert read_newest(tmp_path, gate="dev").to_dict()["pictures"] == {}
