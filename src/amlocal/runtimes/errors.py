"""How an environment can fail to become a Python environment on this machine."""

from amlocal.core.errors import AmlocalError


class EnvironmentFault(AmlocalError):
    """The base of what this package raises on purpose; the message is fit for a job's log."""


class InvalidDefinition(EnvironmentFault):
    """A conda file, requirement or Dockerfile says something that cannot be read or has no meaning for pip."""


class EnvironmentUnsatisfiable(EnvironmentFault):
    """The definition is sound, but no environment that meets it can be had here."""


class PythonNotInstalled(EnvironmentUnsatisfiable):
    """The asked Python version is not on this machine, and strictness forbids the nearest one."""


class BuildCancelled(EnvironmentFault):
    """The caller's event was set before the environment was ready; nothing of the build is kept."""
