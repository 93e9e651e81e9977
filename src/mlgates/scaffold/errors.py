"""What keeps a table from becoming a project."""

from mlgates.core.errors import ExitCode, MlgatesError


class UnsuitableData(MlgatesError):
    """A table can be read, and no project can be drafted from it."""

    exit_code = ExitCode.DATA_UNSUITABLE
