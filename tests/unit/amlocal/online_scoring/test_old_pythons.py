"""What runs in a model's environment keeps to what Python 3.8 understands: such environments are still deployed."""

import ast
from pathlib import Path

import pytest

from amlocal import online_scoring

FILES = sorted(Path(online_scoring.__path__[0]).glob("*.py"))


def later(node: ast.AST) -> bool:
    """Return whether a part of a program is understood by later Pythons only, though it is no new syntax."""
    match node:
        case ast.Call(func=ast.Name(id="zip"), keywords=[ast.keyword(arg="strict"), *_]):
            return True
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.BinOp()]):
            return True
        case ast.Call(func=ast.Attribute(attr="removeprefix" | "removesuffix")):
            return True
        case ast.AugAssign(op=ast.BitOr()):
            return True
    return False


def annotates(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Subscript | ast.BinOp) for node in map(annotation, ast.walk(tree)))


def annotation(node: ast.AST) -> ast.AST | None:
    """Return what a part of a program is annotated with, if anything."""
    return getattr(node, "annotation", None) or getattr(node, "returns", None)


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_a_file_of_the_scoring_process_is_understood_by_python_3_8(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    assert [ast.unparse(node) for node in ast.walk(tree) if later(node)] == []
    if annotates(tree):  # types as this project writes them, which are left unread
        assert "from __future__ import annotations" in map(ast.unparse, tree.body)
