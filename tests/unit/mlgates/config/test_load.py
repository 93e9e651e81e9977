from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.settings import read_variables
from mlgates.core.errors import ConfigurationError


def written(folder: Path, text: str) -> Path:
    file = folder / "config.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_mapping_form_is_read(tmp_path: Path) -> None:
    assert read_variables(written(tmp_path, "variables:\n  A: one\n  B: 2\n"), "f") == {"A": "one", "B": 2}


def test_the_list_form_is_read(tmp_path: Path) -> None:
    text = "variables:\n- name: A\n  value: one\n- name: B\n  value: 2\n"
    assert read_variables(written(tmp_path, text), "f") == {"A": "one", "B": 2}


def test_groups_and_templates_of_a_pipeline_are_passed_over(tmp_path: Path) -> None:
    text = "variables:\n- group: secrets\n- template: more.yml\n- name: A\n  value: one\n"
    assert read_variables(written(tmp_path, text), "f") == {"A": "one"}


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^mlops/f\.yml is not there: .*README"):
        read_variables(tmp_path / "none.yml", "mlops/f.yml")


def test_a_folder_in_place_of_a_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^f cannot be read"):
        read_variables(tmp_path, "f")


def test_bytes_that_are_no_text_are_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigurationError, match=r"^f cannot be read"):
        read_variables(file, "f")


def test_bad_yaml_names_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^f is not valid YAML: line 2, column 1: "):
        read_variables(written(tmp_path, "variables: {A: 1\n"), "f")


def test_yaml_with_a_forbidden_character_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^f is not valid YAML: [^\n]+$"):
        read_variables(written(tmp_path, "variables: \0"), "f")


@pytest.mark.parametrize("text", ["", "A: 1\n", "- A\n", "variables: text\n", "variables:\n"])
def test_another_shape_is_refused_with_the_right_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="must hold a mapping"):
        read_variables(written(tmp_path, text), "f")


def test_a_list_item_without_a_value_is_named_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"f, variables\[1\]: a list item needs"):
        read_variables(written(tmp_path, "variables:\n- name: A\n  value: 1\n- name: B\n"), "f")


@given(text=st.text())
def test_any_text_is_read_or_refused_in_our_words(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = written(tmp_path_factory.mktemp("any"), text)
    try:
        refusal = ""
        read_variables(file, "f")
    except ConfigurationError as error:
        refusal = str(error)
    assert "\n" not in refusal
