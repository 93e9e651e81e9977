"""The name under which a built environment is cached: equal when, and only when, the same would be built."""

import hashlib
import json
import sysconfig
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from amlocal.runtimes.interpreters import Interpreter
from amlocal.runtimes.recipe import Recipe

# Raised when the way of building changes, so that environments built the old way are not taken for new ones.
_LAYOUT = 1


def fingerprint(recipe: Recipe, interpreter: Interpreter) -> str:
    """32 hexadecimal digits, independent of the order and spelling of requirements.

    The order of options counts, since the first index may win. Files that requirements name count by content.
    """
    facts = {
        "layout": _LAYOUT,
        "python": [str(interpreter), str(interpreter.path)],
        "platform": sysconfig.get_platform(),
        "requirements": sorted({_normal(text) for text in recipe.requirements}),
        "constraints": sorted({_normal(text) for text in recipe.constraints}),
        "options": recipe.options,
        "flags": recipe.flags,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _normal(text: str) -> str:
    if text.startswith("/"):
        path, _, extras = text.partition("[")
        return f"{_content(Path(path))}[{extras}"
    head, *hashes = text.split(" --")
    try:
        requirement = Requirement(head)
    except InvalidRequirement:
        return text
    requirement.name = canonicalize_name(requirement.name)
    return " --".join((str(requirement), *sorted(part.strip() for part in hashes)))


def _content(path: Path) -> str:
    """A digest of names and bytes, wherever the folder or archive lies."""
    folder, files = (path, path.rglob("*")) if path.is_dir() else (path.parent, (path,))
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
