"""Requirements add up, and what meets them already is left as it is."""

import json
from importlib.metadata import distributions
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from amlocal.runtimes.runtime import PackageRequirements, current_runtime, unmet
from tests.unit.amlocal.runtimes.wheelhouse import WheelHouse

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
