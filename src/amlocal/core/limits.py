"""Azure's published limits: one table, looked at before anything is kept or passed on.

Runs, experiments and metrics: learn.microsoft.com/azure/machine-learning/resource-limits-capacity ("Service limits in
Azure Machine Learning"). Parameters are not on that page: 200 of them a run is what the service says
(azure-sdk-for-python issue 35685), 500 characters each what its users met (kedro-mlflow issue 551). Tags of Azure's own
resources: learn.microsoft.com/azure/azure-resource-manager/management/tag-resources. Field names that no report shows
are written as those that one does (`MetricV2Dto.Value/Count`, `RunDto.Properties.Value/Length`).
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from amlocal.core.decoding import texts
from amlocal.core.errors import ApiError, BadRequest

MAX_NAME = 256  # characters: of a run's id and display name, of an experiment
MAX_DESCRIPTION = 5000
MAX_TAGS = 50  # tags, and properties, of a run or an experiment
MAX_TAG_KEY, MAX_EXPERIMENT_TAG_KEY, MAX_TAG_VALUE = 100, 250, 1000
MAX_INPUTS, MAX_OUTPUTS = 200, 20  # data sets of a run
MAX_ARTIFACT_LOCATION, MAX_ARTIFACT_PATH = 1024, 5000
MAX_PARAMETERS, MAX_PARAMETER_KEY, MAX_PARAMETER_VALUE = 200, 255, 500
MAX_METRICS, MAX_METRIC_NAME = 50, 255  # names a run
MAX_METRIC_ROWS = 250  # values of one metric in one request
MAX_ARM_TAGS, MAX_ARM_TAG_NAME, MAX_ARM_TAG_VALUE = 50, 512, 256
_EXPERIMENT = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MAX_NAME - 1}}}")
_RESERVED = re.compile(r"[<>%&\\?/\x00-\x1f]")


class OverLimit(ApiError):
    """400 in run history's own words."""

    def __init__(self, field: str, limit: int, size: int) -> None:
        super().__init__(
            400,
            f"A field of the entity is over the size limit. FieldName={field}, Limit={limit}, Size={size}. "
            "See https://aka.ms/azure-machine-learning-limits for service limits documentation.",
            code="ValidationError",
        )


def check_size(field: str, limit: int, size: int) -> None:
    """Raise `OverLimit` when a size is over the limit of its field."""
    if size > limit:
        raise OverLimit(field, limit, size)


def check_length(field: str, limit: int, value: Any) -> None:
    """Raise `OverLimit` for a text of too many characters; what is no text is for others to refuse."""
    if isinstance(value, str):
        check_size(f"{field}/Length", limit, len(value))


def check_texts(
    field: str, given: Mapping[str, Any], *, known: Collection[str] = (), max_key: int = MAX_TAG_KEY
) -> None:
    """Raise `OverLimit` for tags or properties that are too many, with those `known` already, or too long."""
    for key, value in given.items():
        check_length(f"{field}.Key", max_key, key)
        check_length(f"{field}.Value", MAX_TAG_VALUE, value)
    check_size(f"{field}/Count", MAX_TAGS, len({*known, *given}))


def check_run(sent: Mapping[str, Any]) -> None:
    """Raise `OverLimit` for the texts of a job, or of a change to its run, that run history would not keep."""
    check_length("RunDto.DisplayName", MAX_NAME, sent.get("displayName"))
    check_length("RunDto.Description", MAX_DESCRIPTION, sent.get("description"))
    check_experiment(sent.get("experimentName"))
    for key, field in (("tags", "RunDto.Tags"), ("properties", "RunDto.Properties")):
        if isinstance(given := sent.get(key), Mapping):
            check_texts(field, given)
    for key, field, limit in (
        ("inputs", "RunDto.InputDatasets", MAX_INPUTS),
        ("outputs", "RunDto.OutputDatasets", MAX_OUTPUTS),
    ):
        if isinstance(given := sent.get(key), Mapping):
            check_size(f"{field}/Count", limit, sum(1 for spec in given.values() if not _is_literal(spec)))


def check_experiment(name: Any) -> None:
    """Raise `BadRequest` for the name of an experiment, in run history's words (dstoolkit-mlops-v2 issue 179)."""
    if isinstance(name, str) and name and not _EXPERIMENT.fullmatch(name):
        raise BadRequest(
            f"Experiment name must be 1-{MAX_NAME} characters, start with a letter or a number, and can only contain "
            f"letters, numbers, underscores, and dashes; {name[:60]!r} is not such a name."
        )


def _is_literal(spec: Any) -> bool:
    return isinstance(spec, Mapping) and spec.get("jobInputType") == "literal"


def arm_tags(sent: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of an endpoint, deployment or compute. Raises `BadRequest` for what ARM does not take."""
    tags = texts(sent, "tags")
    if len(tags) > MAX_ARM_TAGS:
        raise BadRequest(f"The number of tags exceeds the limit of {MAX_ARM_TAGS}: there are {len(tags)}.")
    for name, value in tags.items():
        if not name or len(name) > MAX_ARM_TAG_NAME or _RESERVED.search(name):
            raise BadRequest(
                f"The tag name {name[:60]!r} is not valid: it has 1 to {MAX_ARM_TAG_NAME} characters, and none of "
                "<, >, %, &, \\, ?, / or control characters."
            )
        if len(value) > MAX_ARM_TAG_VALUE:
            raise BadRequest(
                f"Tag value too large. The value of tag {name!r} has {len(value)} characters, which exceeds the "
                f"maximum length. Maximum allowed length for tag value - '{MAX_ARM_TAG_VALUE}' characters."
            )
    return tags
