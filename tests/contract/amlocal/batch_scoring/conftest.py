"""The batch job that the unit tests have, for scripts and models that run."""

from tests.unit.amlocal.batch_scoring.conftest import interpreter, job

__all__ = ["interpreter", "job"]
