"""What `import mlgates` and `import amlocal` offer is there, documented, and costs nothing until it is used."""

import ast
import subprocess
import sys
import types
from pathlib import Path

import pytest

import amlocal
import mlgates

NAMES = [(package, name) for package in (mlgates, amlocal) for name in package.__all__]


@pytest.mark.parametrize(("package", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_name_is_there_and_says_what_it_is(package: types.ModuleType, name: str) -> None:
    assert getattr(package, name).__doc__


@pytest.mark.parametrize("package", [mlgates, amlocal], ids=lambda package: package.__name__)
def test_type_checkers_see_the_same_names(package: types.ModuleType) -> None:
    tree = ast.parse(Path(str(package.__file__)).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(seen) == sorted(package.__all__)


@pytest.mark.parametrize("package", [mlgates, amlocal], ids=lambda package: package.__name__)
def test_a_name_that_is_not_there_is_an_attribute_error(package: types.ModuleType) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing  # noqa: B018 - it is looked for


def test_importing_both_brings_in_nothing_heavy() -> None:
    heavy = "{'azure.ai.ml', 'mlflow', 'great_expectations', 'pandas', 'numpy', 'rich', 'uvicorn'}"
    code = f"import sys, mlgates, amlocal; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
