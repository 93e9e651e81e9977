"""The stores that the unit tests of jobs have, for jobs that start processes."""

from tests.unit.amlocal.jobs.conftest import workspace

__all__ = ["workspace"]
