"""The project and the workspace in memory that the unit tests have."""

from tests.unit.mlgates.conftest import client, project, settings, workspace

__all__ = ["client", "project", "settings", "workspace"]
