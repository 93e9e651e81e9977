"""The command line that the unit tests have, for shells and ports."""

from tests.unit.amlocal.server.test_command_line import run, running, settings

__all__ = ["run", "running", "settings"]
