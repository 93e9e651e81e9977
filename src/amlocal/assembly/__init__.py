"""A workspace put together: every API built, wired to the others, its routes joined."""

from amlocal.assembly.build import build

__all__ = ["build"]
