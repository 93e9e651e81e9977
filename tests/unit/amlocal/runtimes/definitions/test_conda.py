"""Conda files and match specifications, in pip's terms."""

import json
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from amlocal.runtimes.definitions.conda import CondaFile, conda_requirements, parse_conda, parse_match_spec
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.runtime import PackageRequirements

Release = tuple[int, ...]
Meaning = Callable[[Release], bool]

releases = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple)


def _text(release: Release) -> str:
    return ".".join(map(str, release))


def _padded(left: Release, right: Release) -> tuple[Release, Release]:
    pairs = list(zip_longest(left, right, fillvalue=0))
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def _below(asked: Release) -> Meaning:
    return lambda release: (*release, 0, 0)[: len(asked)] == asked


def _same(asked: Release) -> Meaning:
    return lambda release: len(set(_padded(release, asked))) == 1


def _ordered(asked: Release, *, least: bool) -> Meaning:
    return lambda release: (_padded(release, asked)[0] >= _padded(release, asked)[1]) is least


def _not(meaning: Meaning) -> Meaning:
    return lambda release: not meaning(release)


def _clauses(asked: Release) -> list[tuple[str, Meaning]]:
    """Every way to write one clause after a name, with conda's reading of it."""
    version = _text(asked)
    return [
        (f"={version}", _below(asked)),
        (f"={version}.*", _below(asked)),
        (f"={version}*", _below(asked)),
        (f"=={version}.*", _below(asked)),
        (f"=={version}", _same(asked)),
        (f">={version}", _ordered(asked, least=True)),
        (f">={version}.*", _ordered(asked, least=True)),
        (f"<{version}", _ordered(asked, least=False)),
        (f"!={version}", _not(_same(asked))),
        (f"!={version}.*", _not(_below(asked))),
    ]


clauses = releases.flatmap(lambda asked: st.sampled_from(_clauses(asked)))


@given(clauses, releases)
def test_a_clause_admits_the_releases_that_conda_admits(clause: tuple[str, Meaning], release: Release) -> None:
    text, meaning = clause
    assert parse_match_spec(f"package{text}").specifiers.contains(_text(release)) is meaning(release)


@given(clauses, clauses, releases, st.sampled_from(["", " "]))
def test_clauses_between_commas_hold_together(
    first: tuple[str, Meaning], second: tuple[str, Meaning], release: Release, space: str
) -> None:
    spec = parse_match_spec(f"package{space}{first[0]}{space},{space}{second[0]}")
    assert spec.specifiers.contains(_text(release)) is (first[1](release) and second[1](release))


@given(releases, releases, st.sampled_from(["p={}=py311_0", "p {} py311_0", "p=={}=py311_0", "p {}", "p={}=*"]))
def test_a_bare_version_and_one_with_a_build_are_exact(asked: Release, release: Release, form: str) -> None:
    spec = parse_match_spec(form.format(_text(asked)))
    assert spec.specifiers.contains(_text(release)) is _same(asked)(release)


@given(clauses, st.sampled_from(["conda-forge::", "conda-forge/linux-64::", "https://channels.example.org/free::", ""]))
def test_the_channel_does_not_matter(clause: tuple[str, Meaning], channel: str) -> None:
    assert parse_match_spec(f"{channel}package{clause[0]}") == parse_match_spec(f"package{clause[0]}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy", "numpy"),
        ("NumPy", "numpy"),
        ("numpy *", "numpy"),
        ("numpy=*", "numpy"),
        ("blas=*=openblas", "blas"),
        ("_libgcc_mutex=0.1=main", "_libgcc_mutex==0.1"),
        ("ruamel.yaml = 0.18", "ruamel.yaml==0.18.*"),
        ("numpy[version='>=1.2,<2']", "numpy<2,>=1.2"),
        ('numpy[build=py311*, version="1.26.*"]', "numpy==1.26.*"),
        ("numpy[channel=conda-forge]", "numpy"),
        ("scipy~=1.4.2", "scipy~=1.4.2"),
        ("torch=2.1.0rc1=cpu", "torch==2.1.0rc1"),
        ("pkg<2.0a0", "pkg<2.0a0"),
    ],
)
def test_forms_of_a_specification(text: str, expected: str) -> None:
    assert str(parse_match_spec(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "numpy=1.2|1.3",
        "numpy=^1.*$",
        "tzdata=2023c",
        "numpy=1.*.3",
        "openssl=1.1.1w",
        "numpy=1_2",
        "numpy>=",
        "a b c d[",
        "~=1",
    ],
)
def test_what_pip_cannot_say_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        parse_match_spec(text)
    assert repr(text) in str(caught.value)


names = st.sampled_from(["a", "bc", "d1", "e-f", "g_h", "i.j"])
packages = st.lists(names.map(lambda name: f"x-{name}=1.2"), max_size=4)
pip_lines = st.lists(names.map(lambda name: f"y-{name}==3.4"), max_size=4)


def _requirements(text: str) -> PackageRequirements:
    return conda_requirements(parse_conda(text))


@given(packages, pip_lines)
def test_json_and_yaml_say_the_same(conda: list[str], pip: list[str]) -> None:
    content = {"name": "e", "channels": ["conda-forge"], "dependencies": [*conda, {"pip": pip}]}
    parsed = CondaFile(packages=tuple(conda), pip=tuple(pip))
    assert parse_conda(json.dumps(content, indent="\t")) == parse_conda(yaml.safe_dump(content)) == parsed


@given(packages, pip_lines)
def test_every_entry_becomes_a_requirement_that_pip_reads(conda: list[str], pip: list[str]) -> None:
    required = conda_requirements(CondaFile(packages=tuple(conda), pip=tuple(pip)))
    assert [Requirement(text).name for text in required.requirements] == [
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
    assert conda_requirements(CondaFile(packages=(conda_name,))).requirements == (pypi_name,)


@pytest.mark.parametrize(
    "name",
    ["gcc_linux-64", "cudatoolkit=11.8", "openmpi", "libgcc", "nodefaults", "r-base=4.1", "cuda-nvcc", "graphviz"],
)
def test_what_is_not_python_is_skipped_and_said(name: str) -> None:
    required = conda_requirements(CondaFile(packages=(name,)))
    assert required.requirements == ()
    assert ["not a Python package" in note for note in required.notes] == [True]


def test_python_is_no_requirement_but_the_interpreter() -> None:
    required = _requirements("dependencies: [python=3.11, python<3.11.9]")
    assert (str(required.python), required.requirements) == ("<3.11.9,==3.11.*", ())


def test_plain_pip_asks_for_nothing() -> None:
    assert _requirements("dependencies: [pip]") == PackageRequirements()


def test_a_version_of_pip_is_said_not_to_matter() -> None:
    required = _requirements("dependencies: [pip=23]")
    assert required.is_empty
    assert required.notes == ("pip==23.*: uv installs in its place",)


def test_variables_are_said_not_to_be_set() -> None:
    assert "MY_VAR" in _requirements("variables: {MY_VAR: 1}").notes[0]


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
    required = _requirements(text)
    assert required.options == (
        "--index-url https://one.example.org/simple",
        "--extra-index-url https://two.example.org/simple",
    )
    assert required.flags == ("--prerelease", "allow", "--allow-insecure-host", "two.example.org")


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
    required = conda_requirements(parse_conda("dependencies: [{pip: [-r requirements.txt]}]"), tmp_path)
    assert required.requirements == ("idna==3.1",)
