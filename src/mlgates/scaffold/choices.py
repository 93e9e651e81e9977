"""What may be chosen at `mlgates init`; nothing heavy is imported for it."""

from enum import StrEnum

CI = ("github", "azure-devops", "both", "none")
"""The systems that files are made for."""
ENDPOINTS = "online,batch"


class Task(StrEnum):
    """What a model does."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
