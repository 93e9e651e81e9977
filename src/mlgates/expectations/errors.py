"""What can keep data from being checked at all; a check that fails is no error but a result."""

from mlgates.core.errors import ConfigurationError, MlgatesError


class SuiteError(ConfigurationError):
    """A suite file does not say what Great Expectations understands."""


class UnreadableData(MlgatesError):
    """A data file is missing, empty, cut short or no table."""

    exit_code = 7
