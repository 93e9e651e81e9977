"""The cache's key: the same for the same environment, another for another."""

import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from amlocal.runtimes.definitions.conda import conda_recipe, parse_conda
from amlocal.runtimes.fingerprint import fingerprint
from amlocal.runtimes.interpreters import Interpreter
from amlocal.runtimes.recipe import Recipe

PYTHON = Interpreter(Path("/python"), (3, 11, 7))
PACKAGES = ["numpy=2.4", "scikit-learn>=1.9,<1.10", "ruamel.yaml", "conda-forge::pandas==2.3.3", "typing_extensions"]


def _key(*requirements: str) -> str:
    return fingerprint(Recipe(requirements=requirements), PYTHON)


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
    assert fingerprint(conda_recipe(parse_conda(text)), PYTHON) == fingerprint(conda_recipe(parse_conda(plain)), PYTHON)


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
    (Recipe(), PYTHON),
    (Recipe(requirements=("numpy",)), PYTHON),
    (Recipe(requirements=("numpy==1",)), PYTHON),
    (Recipe(requirements=("numpy[x]",)), PYTHON),
    (Recipe(requirements=("git+https://example.org/numpy.git",)), PYTHON),
    (Recipe(constraints=("numpy",)), PYTHON),
    (Recipe(options=("--no-index",)), PYTHON),
    (Recipe(options=("--extra-index-url a", "--extra-index-url b")), PYTHON),
    (Recipe(options=("--extra-index-url b", "--extra-index-url a")), PYTHON),
    (Recipe(flags=("--no-index",)), PYTHON),
    (Recipe(), Interpreter(Path("/python"), (3, 11, 8))),
    (Recipe(), Interpreter(Path("/other"), (3, 11, 7))),
]


def test_every_difference_that_changes_the_environment_changes_the_key() -> None:
    assert len({fingerprint(recipe, python) for recipe, python in DIFFERENT}) == len(DIFFERENT)


def test_what_is_only_said_does_not_matter() -> None:
    said = Recipe(python=SpecifierSet(">=3"), notes=("a note",))
    assert fingerprint(said, PYTHON) == fingerprint(Recipe(), PYTHON)


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
