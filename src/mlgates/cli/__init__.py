"""The command line: puts configuration, delivery and reports together, and adds nothing of its own."""

from mlgates.cli.app import main

__all__ = ["main"]
