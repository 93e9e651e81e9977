"""What tells one kind of asset from another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amlocal.core.errors import Conflict, NotFound

Properties = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AssetKind:
    """The rules of a kind of asset.

    `accept` turns the properties that a client sent into those that are kept (raising `ApiError` on nonsense);
    `definition` picks what may never change under one name and version. A second PUT of the same definition answers
    `repeat_status`; `touches` tells whether it moves the date of the last change, and `shows_editor` whether the
    first answer already names who changed it (Azure differs by kind). A kind that is `slow` to accept is accepted in a
    thread.
    """

    collection: str
    accept: Callable[[Properties], dict[str, Any]]
    definition: Callable[[Properties], object]
    conflict: Callable[[str, str], Conflict]
    missing_version: Callable[[str, str], NotFound]
    missing_container: Callable[[str], NotFound]
    container: Callable[[Properties], dict[str, Any]]
    repeat_status: int = 200
    touches: bool = True
    shows_editor: bool = True
    slow: bool = False
    mutable: tuple[str, ...] = ("description", "tags", "properties", "isArchived")
