"""How the template writes values of the data: as Python, formatted, and as YAML; Copier finds this by name."""

from collections.abc import Sequence
from typing import Any

import yaml
from jinja2 import Environment
from jinja2.ext import Extension

_WIDTH = 120


class Filters(Extension):
    """The filters `py` and `yaml`."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters.update(py=as_python, yaml=as_yaml)


def as_python(value: object, before: int = 0) -> str:
    """Return a literal as a formatter leaves it, where `before` characters stand on the line already."""
    if not isinstance(value, list | tuple):
        return _literal(value)
    parts = [_literal(each) for each in value]
    line = f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if before + len(line) <= _WIDTH:
        return line
    return "\n".join(["(", *(f"    {part}," for part in parts), ")"])


def _literal(value: object) -> str:
    if not isinstance(value, str) or value.count('"') > value.count("'"):
        return repr(value)
    inner = repr(f'"{value}')[2:-1]  # with a quotation mark in it, repr takes apostrophes
    return '"' + inner.replace("\\'", "'").replace('"', '\\"') + '"'


def as_yaml(value: Any) -> str:
    """Return a value in one line of YAML; a plain word without quotes."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(as_yaml(each) for each in value)}]"
    style = '"' if isinstance(value, str) and not _is_plain(value) else None
    line = yaml.safe_dump([value], default_flow_style=True, default_style=style, allow_unicode=True, width=10**9)
    return str(line).strip()[1:-1]


def _is_plain(word: str) -> bool:
    return word.isascii() and word.replace("_", "").isalpha()
