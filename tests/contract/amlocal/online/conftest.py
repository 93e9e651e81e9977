"""The log that the unit tests have, for processes that write to it."""

from tests.unit.amlocal.online.test_deployment_logs import log

__all__ = ["log"]
