"""Which handler answers a path: the joined route tables, compiled once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from amlocal.core.http import Route

_VARIABLE = re.compile(r"\{(\w+)(:path)?\}")


def _compile(path: str) -> re.Pattern[str]:
    """Turn a route's path into a pattern over the raw (percent-encoded) request path.

    Azure's resource paths are case-insensitive, so the fixed parts match in any case.
    """
    pattern, end = "", 0
    for variable in _VARIABLE.finditer(path):
        pattern += re.escape(path[end : variable.start()])
        pattern += f"(?P<{variable[1]}>{'.*' if variable[2] else '[^/]+'})"
        end = variable.end()
    return re.compile(pattern + re.escape(path[end:]) + "/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the values of its variables, percent-decoded."""

    route: Route
    path: Mapping[str, str]


class Router:
    """Finds the route of a request; earlier routes win."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._table: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            self._table.setdefault(route.method, []).append((_compile(route.path), route))

    def find(self, method: str, raw_path: str) -> Match | None:
        """Return the match of `raw_path` (without query), or None."""
        for pattern, route in self._table.get(method, ()):
            if found := pattern.fullmatch(raw_path):
                return Match(route, {name: unquote(value) for name, value in found.groupdict().items()})
        return None

    def methods(self, raw_path: str) -> list[str]:
        """Return the methods that `raw_path` takes, to tell "not this way" from "not here"."""
        return sorted(
            method for method, rows in self._table.items() if any(pattern.fullmatch(raw_path) for pattern, _ in rows)
        )
