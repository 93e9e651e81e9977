"""Conda files, from YAML or JSON, and the recipe they amount to."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from amlocal.runtimes.definitions.conda import CondaFile, conda_recipe, parse_conda
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.recipe import Recipe

names = st.sampled_from(["a", "bc", "d1", "e-f", "g_h", "i.j"])
packages = st.lists(names.map(lambda name: f"x-{name}=1.2"), max_size=4)
pip_lines = st.lists(names.map(lambda name: f"y-{name}==3.4"), max_size=4)


def _recipe(text: str) -> Recipe:
    return conda_recipe(parse_conda(text))


@given(packages, pip_lines)
def test_json_and_yaml_say_the_same(conda: list[str], pip: list[str]) -> None:
    content = {"name": "e", "channels": ["conda-forge"], "dependencies": [*conda, {"pip": pip}]}
    parsed = CondaFile(packages=tuple(conda), pip=tuple(pip))
    assert parse_conda(json.dumps(content, indent="\t")) == parse_conda(yaml.safe_dump(content)) == parsed


@given(packages, pip_lines)
def test_every_entry_becomes_a_requirement_that_pip_reads(conda: list[str], pip: list[str]) -> None:
    recipe = conda_recipe(CondaFile(packages=tuple(conda), pip=tuple(pip)))
    assert [Requirement(text).name for text in recipe.requirements] == [
        *(text.partition("=")[0] for text in conda),
        *(text.partition("=")[0] for text in pip),
    ]


@pytest.mark.parametrize(
    ("conda_name", "pypi_name"),
    [
        ("pytorch=2.1", "torch==2.1.*"),
        ("py-xgboost", "xgboost"),
        ("python-graphviz", "graphviz"),
        ("opencv", "opencv-python"),
        ("pytables", "tables"),
        ("msgpack-python", "msgpack"),
        ("matplotlib-base>=3", "matplotlib>=3"),
        ("ray-tune=2.9", "ray[tune]==2.9.*"),
        ("scikit-learn", "scikit-learn"),
        ("conda-forge::lightgbm=4.1", "lightgbm==4.1.*"),
        ("cuda-python", "cuda-python"),
    ],
)
def test_names_are_those_of_pypi(conda_name: str, pypi_name: str) -> None:
    assert conda_recipe(CondaFile(packages=(conda_name,))).requirements == (pypi_name,)


@pytest.mark.parametrize(
    "name",
    ["gcc_linux-64", "cudatoolkit=11.8", "openmpi", "libgcc", "nodefaults", "r-base=4.1", "cuda-nvcc", "graphviz"],
)
def test_what_is_not_python_is_skipped_and_said(name: str) -> None:
    recipe = conda_recipe(CondaFile(packages=(name,)))
    assert recipe.requirements == ()
    assert ["not a Python package" in note for note in recipe.notes] == [True]


def test_python_is_no_requirement_but_the_interpreter() -> None:
    recipe = _recipe("dependencies: [python=3.11, python<3.11.9]")
    assert (str(recipe.python), recipe.requirements) == ("<3.11.9,==3.11.*", ())


def test_plain_pip_asks_for_nothing() -> None:
    assert _recipe("dependencies: [pip]") == Recipe()


def test_a_version_of_pip_is_said_not_to_matter() -> None:
    recipe = _recipe("dependencies: [pip=23]")
    assert recipe.is_empty
    assert recipe.notes == ("pip==23.*: uv installs in its place",)


def test_variables_are_said_not_to_be_set() -> None:
    assert "MY_VAR" in _recipe("variables: {MY_VAR: 1}").notes[0]


def test_index_options_are_kept_in_order() -> None:
    text = """
    dependencies:
      - pip:
        - --index-url https://one.example.org/simple
        - --extra-index-url=https://two.example.org/simple  # why
        - --pre
        - --trusted-host two.example.org
        - idna
    """
    recipe = _recipe(text)
    assert recipe.options == (
        "--index-url https://one.example.org/simple",
        "--extra-index-url https://two.example.org/simple",
    )
    assert recipe.flags == ("--prerelease", "allow", "--allow-insecure-host", "two.example.org")


@pytest.mark.parametrize("text", ["dependencies:", "name: x", "{}", "dependencies: [{pip: }]", "dependencies: []"])
def test_a_file_that_asks_for_nothing_is_empty(text: str) -> None:
    assert parse_conda(text) == CondaFile()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dependencies: [", "not valid YAML"),
        ("{'a': 1}", "not valid YAML"),
        ("", "empty"),
        ("- numpy", "the list"),
        ("numpy", "the str"),
        ("dependencies: numpy", "dependencies is the str"),
        ("dependencies: {numpy: 1}", "dependencies is the dict"),
        ("dependencies: [3.11]", "dependencies[0] is the float"),
        ("dependencies: [numpy, {conda: [x]}]", "dependencies[1] is the dict"),
        ("dependencies: [{pip: numpy}]", "dependencies[0].pip is the str"),
        ("dependencies: [{pip: [numpy, {a: b}]}]", "dependencies[0].pip[1] is the dict"),
        ("variables: [a]", "variables is the list"),
    ],
)
def test_another_structure_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        parse_conda(text)
    assert place in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40) | st.binary(max_size=20).map(repr))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parsed = parse_conda(text)
    except InvalidDefinition:
        return
    assert isinstance(parsed, CondaFile)


def test_a_conda_file_of_a_build_context_may_name_files(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("idna==3.1\n")
    recipe = conda_recipe(parse_conda("dependencies: [{pip: [-r requirements.txt]}]"), tmp_path)
    assert recipe.requirements == ("idna==3.1",)
