"""The environment in which training runs on a cluster: the lock's versions, and all that the code imports."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import Marker

from diabetes import saving

ROOT = Path(__file__).resolve().parents[3]
DECLARED = ROOT / "mlops" / "continuous-training"


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DECLARED / name).read_text("utf-8"))
    return content


def declared() -> dict[str, str]:
    *_, pip = read("train-conda.yml")["dependencies"]
    return dict(requirement.split("==") for requirement in pip["pip"])


def locked() -> dict[str, str]:
    """The lock's pins for the interpreter that the conda file names."""
    lines = re.findall(r"^(\S+)==(\S+) ; (.+) \\$", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    cluster = {"python_full_version": "3.11.0", "sys_platform": "linux"}
    return {name: pin for name, pin, marker in lines if Marker(marker).evaluate(cluster)}


def imported() -> set[str]:
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "src" / "diabetes").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {
        name.split(".")[0]
        for name in plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    }


def test_the_interpreter_is_the_oldest_that_the_project_supports() -> None:
    assert "python=3.11" in read("train-conda.yml")["dependencies"]


@pytest.mark.parametrize("name", declared())
def test_a_pin_is_the_lock_s(name: str) -> None:
    assert declared()[name] == locked()[name]


def test_all_that_the_code_imports_is_declared() -> None:
    owners = packages_distributions()
    foreign = imported() - set(sys.stdlib_module_names) - {"diabetes"}
    assert {name for name in foreign if not set(owners[name]) & set(declared())} == set()


def test_all_that_the_model_requires_is_declared() -> None:
    assert set(saving.REQUIRED) <= set(declared())


def test_the_environment_is_built_from_the_conda_file() -> None:
    environment = read("train-env.yml")
    assert environment["conda_file"] == "train-conda.yml"
    assert environment["image"].startswith("mcr.microsoft.com/azureml/openmpi")
