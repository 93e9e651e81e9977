"""A package's own check is known by its entry point, as any other; a bad one is named, with the package that has it."""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from mlgates.core.errors import ConfigurationError
from mlgates.gates import declaration
from mlgates.gates.check_types import GROUP, CheckTypes
from mlgates.gates.checks import BUILT_IN

Install = Callable[..., CheckTypes]
GOOD = """
from mlgates import Bounds, CheckType, bounded

class PositivesConfig(Bounds):
    '''What share may be called positive.'''

def check(config, evidence):
    yield bounded("share", 0.4, least=config.min, most=config.max)

positives = CheckType(PositivesConfig, check)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install packages, each with a module and the names that it registers; return the types that are known then."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(module: str, *names: str, package: str = "acme", value: str = "positives") -> CheckTypes:
        (tmp_path / f"{package}_checks.py").write_text(module)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        points = "\n".join(f"{name} = {package}_checks:{value}" for name in names)
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n")
        monkeypatch.delitem(sys.modules, f"{package}_checks", raising=False)
        return CheckTypes(BUILT_IN, lambda: entry_points(group=GROUP))

    return run


def test_a_registered_check_is_declared_like_any_other(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declaration, "CHECK_TYPES", install(GOOD, "positives"))
    file = tmp_path / "gates.yml"
    file.write_text("evaluation: {label: y}\nprod: {positives: {max: 0.5}, size: {}}\n")
    checks = declaration.read_gates(file, "gates.yml").gates["prod"].checks
    assert [check.kind for check in checks] == ["positives", "size"]


def test_its_settings_are_checked_like_any_other(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declaration, "CHECK_TYPES", install(GOOD, "positives"))
    file = tmp_path / "gates.yml"
    file.write_text("evaluation: {label: y}\nprod: {positives: {maximum: 0.5}}\n")
    with pytest.raises(ConfigurationError, match=r"prod\.positives"):
        declaration.read_gates(file, "gates.yml")


def test_all_names_are_listed_and_nothing_is_imported_for_it(install: Install) -> None:
    types = install("raise SystemError", "positives")
    assert (set(types), len(types), "positives" in types) == ({*BUILT_IN, "positives"}, len(BUILT_IN) + 1, True)


def test_a_name_that_nobody_has_is_no_check(install: Install) -> None:
    assert "negatives" not in install(GOOD, "positives")


@pytest.mark.parametrize(
    ("module", "names", "message"),
    [
        ("import nowhere", ("positives",), "cannot be loaded: ModuleNotFoundError"),
        ("raise SystemError('no')", ("positives",), "cannot be loaded: SystemError: no"),
        ("", ("positives",), "cannot be loaded: AttributeError"),
        ("positives = 1", ("positives",), "is a int, and not a CheckType"),
        (GOOD, ("positives", "size"), "check 'size' of acme: mlgates has a check of this name already"),
    ],
)
def test_a_bad_one_is_named_with_its_package(
    install: Install, module: str, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        install(module, *names)["positives"]
    assert (message in str(error.value), "of acme" in str(error.value)) == (True, True)


def test_two_of_one_name_are_refused(install: Install) -> None:
    install(GOOD, "positives", package="other")
    with pytest.raises(ConfigurationError, match="is there too"):
        install(GOOD, "positives")["positives"]
