"""Values are handed from one part to another, and nobody on the way can change one or hang something on it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import mlgates

BUILDERS = {"Evidence", "Models", "PipelineRun", "RequestRefused", "Tree", "UnderTest"}
"""They gather something while they are used, or are raised, and are no values."""
UNSLOTTED = {"Entry"}
"""It keeps its checksum once that was computed."""


def dataclasses() -> Iterator[tuple[str, frozenset[str]]]:
    """Each dataclass of the package, with what its decorator sets to True."""
    for file in Path(mlgates.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for decorator in getattr(node, "decorator_list", ()):
                if "dataclass" in ast.unparse(decorator) and isinstance(node, ast.ClassDef):
                    options = decorator.keywords if isinstance(decorator, ast.Call) else []
                    yield (
                        node.name,
                        frozenset(str(each.arg) for each in options if ast.literal_eval(each.value) is True),
                    )


def test_a_value_is_frozen_and_has_slots() -> None:
    found = set(dataclasses())
    assert {name for name, options in found if "frozen" not in options} == BUILDERS
    assert {name for name, options in found if "slots" not in options} - BUILDERS == UNSLOTTED
