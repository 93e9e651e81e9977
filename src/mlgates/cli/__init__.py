"""The command line: puts configuration, delivery and reports together."""

from mlgates.cli.app import main

__all__ = ["main"]
