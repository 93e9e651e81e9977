"""The way out of a mistyped name: the nearest valid one, and all of them."""

from collections.abc import Iterable
from difflib import get_close_matches


def is_mistyped(name: str, known: Iterable[str]) -> bool:
    """Return whether a name is so near to a known one that it was meant to be it."""
    return bool(get_close_matches(name, list(known), n=1, cutoff=0.8))


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x'? Known: x, y` (the question only when something is near)."""
    names = sorted(known)
    near = get_close_matches(wrong, names, n=1)
    question = f"Did you mean '{near[0]}'? " if near else ""
    return f"{question}Known: {', '.join(names)}"
