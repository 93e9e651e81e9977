"""What a script's `run` returned: whether it may, and the lines of it.

A list's items stand line by line, a data frame's columns with a space between and no header (learn.microsoft.com,
"Author scoring scripts for batch deployments"). Nothing is imported here: an environment may be without pandas, and
where a script has returned a pandas object, pandas is loaded.
"""

from __future__ import annotations

import sys
from typing import Any

from .errors import ScoringError

_TYPES = {"pandas": ("DataFrame", "Series"), "numpy": ("ndarray",)}


def check_returned(returned: object) -> None:
    """Raise `ScoringError` for what is neither a list, an array, nor a data frame."""
    if not isinstance(returned, (list, tuple)) and not any(_is_of(returned, module) for module in _TYPES):
        raise ScoringError(f"run() must return a list or a pandas DataFrame, not {type(returned).__name__}.")


def returned_lines(returned: Any) -> bytes:
    """Return the lines of what `check_returned` lets pass."""
    if hasattr(returned, "columns"):
        return bytes(returned.to_csv(header=False, index=False, sep=" ").encode())
    return "".join([f"{item}\n" for item in returned]).encode()


def _is_of(value: object, module: str) -> bool:
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, tuple(getattr(loaded, name) for name in _TYPES[module]))
