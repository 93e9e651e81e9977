"""The way out of a mistyped name: the nearest valid one, and all of them."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x'? Known: x, y` (the question only when something is near)."""
    names = sorted(known)
    near = get_close_matches(wrong, names, n=1)
    question = f"Did you mean '{near[0]}'? " if near else ""
    return f"{question}Known: {', '.join(names)}"
