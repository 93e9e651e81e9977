"""How a deployment scores: mini batches, concurrency, output, retries; checked, and filled in as Azure ML does."""

import re
from collections.abc import Mapping
from typing import Any

from amlocal.core.durations import seconds
from amlocal.core.errors import BadRequest
from amlocal.core.fields import Sent, count, mapping, text

_ACTIONS = ("AppendRow", "SummaryOnly")
_LEVELS = ("Info", "Warning", "Debug")
_FILE_NAME = re.compile(r"[^/\0]{1,255}")
DEFAULTS: Mapping[str, Any] = {
    "miniBatchSize": 10,
    "errorThreshold": -1,
    "outputFileName": "predictions.csv",
    "retrySettings": {"maxRetries": 3, "timeout": "PT30S"},
}


def accept_settings(sent: Sent) -> dict[str, Any]:
    """Return the settings of a deployment. Raises `BadRequest`."""
    return overridable(sent, DEFAULTS) | {
        "maxConcurrencyPerInstance": _positive(sent, "maxConcurrencyPerInstance", 1),
        "outputAction": _one_of(sent, "outputAction", _ACTIONS),
        "loggingLevel": _one_of(sent, "loggingLevel", _LEVELS),
        "resources": {
            "instanceCount": instance_count(mapping(sent, "resources"), 1),
            "instanceType": text(mapping(sent, "resources"), "instanceType"),
            "properties": mapping(mapping(sent, "resources"), "properties") or None,
        },
    }


def overridable(sent: Sent, default: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a single call may set too; `default` has those that are not sent."""
    retry, usual = mapping(sent, "retrySettings"), default["retrySettings"]
    return {
        "miniBatchSize": _positive(sent, "miniBatchSize", default["miniBatchSize"]),
        "errorThreshold": _threshold(sent, default["errorThreshold"]),
        "outputFileName": _file_name(text(sent, "outputFileName") or default["outputFileName"]),
        "retrySettings": {
            "maxRetries": count(retry, "maxRetries", default=usual["maxRetries"]),
            "timeout": _timeout(text(retry, "timeout") or usual["timeout"]),
        },
    }


def instance_count(sent: Sent, default: int) -> int:
    """Return how many instances are asked for. Raises `BadRequest` for none."""
    return _positive(sent, "instanceCount", default)


def _positive(sent: Sent, key: str, default: int) -> int:
    value = count(sent, key, default=default)
    if value < 1:
        raise BadRequest(f"The key '{key}' must be at least 1.")
    return value


def _threshold(sent: Sent, default: int) -> int:
    value = sent.get("errorThreshold")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < -1:
        raise BadRequest(f"The key 'errorThreshold' must be a whole number, -1 to ignore all failures, not {value!r}.")
    return value


def _timeout(duration: str) -> str:
    if seconds(duration) <= 0:
        raise BadRequest(f"The retrySettings' timeout is {duration}: nothing is scored in no time.")
    return duration


def _file_name(name: str) -> str:
    if name in (".", "..") or not _FILE_NAME.fullmatch(name):
        raise BadRequest(f"The outputFileName {name!r} is not the name of a file.")
    return name


def _one_of(sent: Sent, key: str, known: tuple[str, ...]) -> str:
    """Return the known value that was sent, in its own spelling; the first one when none was."""
    value = text(sent, key) or known[0]
    for name in known:
        if name.lower() == value.lower():
            return name
    raise BadRequest(f"The key '{key}' is {value!r}; known are {', '.join(known)}.")
