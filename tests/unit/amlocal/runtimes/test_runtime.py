"""Runtimes and the environment variables that lead to them."""

import json
import os
import sys
from dataclasses import replace
from importlib.metadata import distributions
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from amlocal.runtimes import environ
from amlocal.runtimes.runtime import PackageRequirements, current_runtime, unmet
from tests.unit.amlocal.runtimes.wheelhouse import WheelHouse

CURRENT = current_runtime()
IN_ENVIRONMENT = replace(CURRENT, python=Path("/env/bin/python"), prefix=Path("/env"), scripts=Path("/env/bin"))
POINTERS = ["PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER", "UV_SYSTEM_PYTHON", "CONDA_PREFIX"]

names = st.text("ABCXYZ_", min_size=1).map(lambda name: f"X_{name}")
variables = st.dictionaries(names, st.text(max_size=5))


def test_the_current_runtime_is_this_interpreter() -> None:
    assert (CURRENT.python, CURRENT.prefix) == (Path(sys.executable), Path(sys.prefix))


def test_packages_come_from_folders_of_installed_packages_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    assert current_runtime().site_packages == (tmp_path / "site-packages", *CURRENT.site_packages)


@given(variables)
def test_variables_of_the_person_are_kept(base: dict[str, str]) -> None:
    assert base.items() <= environ(IN_ENVIRONMENT, base).items()


@given(st.dictionaries(st.sampled_from(POINTERS), st.text(max_size=5)))
def test_what_points_to_another_environment_is_dropped(base: dict[str, str]) -> None:
    assert not base.keys() & environ(IN_ENVIRONMENT, base).keys()


@pytest.mark.parametrize(("base", "rest"), [({"PATH": "/usr/bin"}, "/usr/bin"), ({}, os.defpath)])
def test_commands_of_the_runtime_come_first(base: dict[str, str], rest: str) -> None:
    assert environ(IN_ENVIRONMENT, base)["PATH"] == f"/env/bin{os.pathsep}{rest}"


def test_a_virtual_environment_is_announced() -> None:
    assert environ(IN_ENVIRONMENT, {"VIRTUAL_ENV": "/elsewhere"})["VIRTUAL_ENV"] == "/env"


def test_an_interpreter_outside_virtual_environments_announces_none() -> None:
    outside = replace(CURRENT, python=CURRENT.base_python)
    assert "VIRTUAL_ENV" not in environ(outside, {"VIRTUAL_ENV": "/elsewhere"})


texts = st.sampled_from([(), ("a",), ("b", "c")])
pythons = st.none() | st.sampled_from(["==3.11.*", ">=3.9", "<3.13"]).map(SpecifierSet)
requirement_sets = st.builds(PackageRequirements, pythons, texts, texts, texts, texts, texts)


@given(requirement_sets, requirement_sets, requirement_sets)
def test_the_sum_does_not_depend_on_grouping(
    one: PackageRequirements, two: PackageRequirements, three: PackageRequirements
) -> None:
    assert (one + two) + three == one + (two + three)


@given(requirement_sets)
def test_empty_requirements_adds_nothing(required: PackageRequirements) -> None:
    assert PackageRequirements() + required == required == required + PackageRequirements()


@given(requirement_sets, requirement_sets, st.sampled_from(["3.8.1", "3.11.2", "3.14.0"]))
def test_a_sum_accepts_the_pythons_that_both_accept(
    one: PackageRequirements, two: PackageRequirements, version: str
) -> None:
    def accepts(required: PackageRequirements) -> bool:
        return required.python is None or required.python.contains(version)

    assert accepts(one + two) is (accepts(one) and accepts(two))


versions = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda parts: f"{parts[0]}.{parts[1]}")
specifiers = st.tuples(st.sampled_from(["==", ">=", "<", "!=", "~="]), versions).map("".join)


def _unmet(site: Path, *requirements: str, constraints: tuple[str, ...] = ()) -> list[str]:
    return unmet(PackageRequirements(requirements=requirements, constraints=constraints), [site])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with `tiny` 1.2, whose extra `more` needs a `friend` that is absent, and `all` needs itself."""
    folder = tmp_path_factory.mktemp("installed")
    house, site = WheelHouse(folder / "wheels"), folder / "site-packages"
    requires = [
        "friend>=1 ; extra == 'more'",
        "tiny[more] ; extra == 'all'",
        "tiny[circle] ; extra == 'circle'",
        "plain ; extra == 'plain'",
        "never ; python_version < '3' and extra == 'plain'",
        "needed",
    ]
    house.unpack(site, "tiny", "1.2", requires=requires)
    house.unpack(site, "plain", "2.0")
    return site


@given(specifiers)
def test_a_requirement_holds_when_the_installed_version_is_specified(site: Path, specifier: str) -> None:
    assert (not _unmet(site, f"tiny{specifier}")) is SpecifierSet(specifier).contains("1.2")


@pytest.mark.parametrize(
    "text", ["Tiny", "tiny>=1 --hash=sha256:00", "tiny[plain]", "tiny[circle]", "absent; python_version < '3'"]
)
def test_requirements_that_hold(site: Path, text: str) -> None:
    assert _unmet(site, text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tiny==2", "tiny==2 (installed: 1.2)"),
        ("absent", "absent (not installed)"),
        ("tiny[more]", 'friend>=1; extra == "more" (not installed)'),
        ("tiny[all]", 'friend>=1; extra == "more" (not installed)'),
        ("tiny @ https://example.org/tiny.zip", "tiny@ https://example.org/tiny.zip (not a release of the index)"),
        ("git+https://example.org/tiny.git", "git+https://example.org/tiny.git (not a release of the index)"),
    ],
)
def test_requirements_that_do_not_hold_say_why(site: Path, text: str, reason: str) -> None:
    assert [line.replace("tiny @", "tiny@") for line in _unmet(site, text)] == [reason]


def test_a_constraint_binds_only_what_is_there(site: Path) -> None:
    assert _unmet(site, constraints=("absent==1", "tiny<1")) == ["tiny<1 (installed: 1.2)"]


def test_an_editable_distribution_is_not_there(house: WheelHouse, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    house.unpack(site, "tiny", "1.2")
    (site / "tiny-1.2.dist-info" / "direct_url.json").write_text(json.dumps({"dir_info": {"editable": True}}))
    assert _unmet(site, "tiny") == ["tiny (not installed)"]


def test_what_the_running_interpreter_has_holds() -> None:
    folders = current_runtime().site_packages
    found = [
        one
        for one in distributions(path=[str(folder) for folder in folders])
        if one.read_text("direct_url.json") is None
    ]
    requirements = tuple(f"{one.metadata['Name']}=={one.version}" for one in found)
    assert unmet(PackageRequirements(requirements=requirements), folders) == []
