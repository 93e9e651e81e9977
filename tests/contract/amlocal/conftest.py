"""A workspace in this process, as the unit tests have it."""

from tests.unit.amlocal.conftest import new_root, shared_workspace, workspace

__all__ = ["new_root", "shared_workspace", "workspace"]
