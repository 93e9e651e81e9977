"""The two distributions: what each wheel holds, that it can be imported alone, and that it names what it imports."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("mlgates", "amlocal")
NOT_IMPORTED = {
    "mlgates": {"azureml-mlflow": "MLflow finds it by the scheme azureml://"},
    "amlocal": {
        "azureml-ai-monitoring": "Azure's scoring script of an MLflow model imports it",
        "httptools": "uvicorn finds it",
        "uvloop": "uvicorn finds it",
    },
}
NOT_REQUIRED = {
    "mlgates": {},
    "amlocal": {"pytest": "imports the plugin, and nobody else does", "gunicorn": "of the inference server"},
}


def declared(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def required(name: str) -> dict[str, Requirement]:
    lines = declared(ROOT / "packaging" / name)["dependencies"]
    return {each.name: each for each in map(Requirement, lines)}


def imported(package: str) -> Iterator[str]:
    """Yield the distributions whose modules a package imports, wherever it does."""
    providers = packages_distributions()
    for file in (ROOT / "src" / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for module in modules:
                top = module.partition(".")[0]
                if top in sys.stdlib_module_names or top in NAMES:
                    continue
                # Several may share a module: mlflow and mlflow-skinny do.
                provider = top if top in providers[top] else providers[top][0]
                yield azure_distribution(module) if top == "azure" else provider.lower().replace("_", "-")


def azure_distribution(module: str) -> str:
    """Name the distribution of a module of Azure, whose packages share one namespace."""
    known = ("azure-ai-ml", "azure-core", "azure-identity")
    return next(name for name in known if f"{module}.".startswith(f"{name.replace('-', '.')}."))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if given := os.environ.get("WHEELS"):  # nox -s wheels: what is checked is what is published
        return {name: next(Path(given).glob(f"{name}-*.whl")) for name in NAMES}
    folder = tmp_path_factory.mktemp("wheels")
    for name in NAMES:
        command = [find_uv_bin(), "build", "-q", "--wheel", "-o", str(folder), str(ROOT / "packaging" / name)]
        built = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        if "error sending request" in built.stderr or "dns error" in built.stderr:
            pytest.skip("needs the package index, for hatchling")
        assert built.returncode == 0, built.stderr
    return {name: next(folder.glob(f"{name}-*.whl")) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_distribution_requires_what_its_package_imports(name: str) -> None:
    found = set(imported(name)) - NOT_REQUIRED[name].keys()
    assert set(required(name)) - NOT_IMPORTED[name].keys() == found


@pytest.mark.parametrize("name", NAMES)
def test_versions_and_pythons_are_those_of_the_clone(name: str) -> None:
    clone, own = declared(ROOT), declared(ROOT / "packaging" / name)
    assert [own[key] for key in ("version", "requires-python")] == [
        clone[key] for key in ("version", "requires-python")
    ]


def test_the_extra_brings_amlocal_of_the_same_version() -> None:
    mlgates = declared(ROOT / "packaging" / "mlgates")
    assert mlgates["optional-dependencies"]["local"] == [f"amlocal=={mlgates['version']}"]


def test_the_changelog_begins_with_what_is_to_be_released() -> None:
    headings = re.findall(
        r"^## \[?(.+?)\]?(?: .*)?$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    version = declared(ROOT)["version"]
    tag = os.environ.get("RELEASE_TAG", "")
    assert headings[0] in ({version} if tag else {"Unreleased", version})
    assert tag in {"", f"v{version}"}


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_plugins_are_those_of_the_clone(name: str) -> None:
    clone, own = declared(ROOT), declared(ROOT / "packaging" / name)
    assert own["scripts"] == {name: clone["scripts"][name]}
    assert own["entry-points"]["pytest11"] == {name: clone["entry-points"]["pytest11"][name]}


@pytest.mark.parametrize("name", NAMES)
def test_the_lock_holds_a_version_that_a_distribution_takes(name: str) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock, re.MULTILINE))
    wrong = [str(each) for each in required(name).values() if not each.specifier.contains(pins[each.name])]
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_holds_its_package_whole_and_nothing_else(name: str, wheels: dict[str, Path]) -> None:
    inside = {file for file in zipfile.ZipFile(wheels[name]).namelist() if ".dist-info/" not in file}
    tracked = subprocess.run(
        ["git", "ls-files", "-z", f"src/{name}"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    there = {path.removeprefix("src/") for path in tracked.split("\0") if path and (ROOT / path).is_file()}
    assert inside == there


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_can_be_installed_and_imported_alone(name: str, wheels: dict[str, Path], tmp_path: Path) -> None:
    install = [find_uv_bin(), "pip", "install", "-q", "--no-deps", "--target", str(tmp_path), str(wheels[name])]
    subprocess.run(install, check=True, timeout=60)
    code = f"import {name}, importlib.util as u; print({name}.__file__); print(u.find_spec('diabetes'))"
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    # -S leaves out the site-packages, and with them the clone's own entry.
    run = [sys.executable, "-S", "-c", code]
    told = subprocess.run(run, check=True, capture_output=True, text=True, env=environ, cwd=tmp_path).stdout
    assert told.splitlines() == [str(tmp_path / name / "__init__.py"), "None"]
