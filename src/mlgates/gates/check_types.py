"""What a type of check is, and how a package registers one: by an entry point of the group `mlgates.checks`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel

from mlgates.core.errors import ConfigurationError
from mlgates.core.gates import CheckResult
from mlgates.gates.evidence import Evidence

GROUP = "mlgates.checks"


@dataclass(frozen=True, slots=True)
class CheckType:
    """A type of check: its settings in gates.yml, and the function that looks."""

    config: type[BaseModel]
    check: Callable[[Any, Evidence], Iterator[CheckResult]]
    """Takes the settings and the evidence; raises `CouldNotRun` when that is not there."""
    wants_model: bool = True
    """False for a check that is about a commit."""


class CheckTypes(Mapping[str, CheckType]):
    """The built-in types, and those that installed packages register; one of these is imported when it is asked for.

    Raises `ConfigurationError`, which names the package, for one that cannot be imported, is no `CheckType`, or has a
    name that another has.
    """

    def __init__(
        self,
        built_in: Mapping[str, CheckType],
        find: Callable[[], Iterable[EntryPoint]] = lambda: entry_points(group=GROUP),
    ) -> None:
        self._built_in = built_in
        self._find = find
        self._loaded: dict[str, CheckType] = {}

    def __getitem__(self, name: str) -> CheckType:
        """Return the type of this name. Raises `KeyError` when there is none."""
        if name in self._built_in:
            return self._built_in[name]
        if name not in self._loaded:
            self._loaded[name] = _load(self._registered[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        """Return whether there is a type of this name, without importing it."""
        return name in self._built_in or name in self._registered

    def __iter__(self) -> Iterator[str]:
        """Yield all names."""
        yield from self._built_in
        yield from self._registered

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._built_in) + len(self._registered)

    @cached_property
    def _registered(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in self._find():
            if point.name in self._built_in:
                raise ConfigurationError(f"{_named(point)}: mlgates has a check of this name already; choose another")
            if point.name in found and found[point.name] != point:
                raise ConfigurationError(f"{_named(point)}: {_named(found[point.name])} is there too; remove one")
            found[point.name] = point
        return found


def _load(point: EntryPoint) -> CheckType:
    try:
        found = point.load()
    except Exception as error:  # whatever somebody else's module raises
        raise ConfigurationError(f"{_named(point)} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(found, CheckType):
        raise ConfigurationError(f"{_named(point)}: {point.value} is a {type(found).__name__}, and not a CheckType")
    return found


def _named(point: EntryPoint) -> str:
    package = point.dist.name if point.dist else "an unknown package"
    return f"check '{point.name}' of {package}"
