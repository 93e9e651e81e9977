"""A workspace put together: every face built, wired to the others, its routes joined."""

from amlocal.assembly.build import build

__all__ = ["build"]
