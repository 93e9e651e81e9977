"""docs/gates.md says of each setting what the code says of it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from mlgates.gates.checks import BUILT_IN

DOCS = Path(__file__).parents[4] / "docs"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("gates_reference", DOCS / "gates_reference.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_has_what_the_script_makes(script: ModuleType) -> None:
    page = (DOCS / "gates.md").read_text(encoding="utf-8")
    assert script.put(page) == page, "run python docs/gates_reference.py"


@pytest.mark.parametrize("kind", BUILT_IN)
def test_every_setting_says_what_it_is(kind: str) -> None:
    fields = BUILT_IN[kind].config.model_fields
    assert [name for name, field in fields.items() if name != "root" and not field.description] == []
