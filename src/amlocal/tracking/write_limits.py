"""What Azure's tracking server takes of MLflow's writes: looked at in full before any of it is written.

The sizes are those of `core.limits`. Some are of a run as a whole, so what it holds already is asked for; tags of
MLflow's own (`mlflow.…`) are no tags in run history, but fields of the run.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from amlocal.core import limits
from amlocal.core.errors import ApiError
from amlocal.core.limits import OverLimit, check_length, check_size, check_texts

_OWN_TAG = "mlflow."
_OWN_LENGTHS = {
    "mlflow.note.content": ("RunDto.Description", limits.MAX_DESCRIPTION),
    "mlflow.runName": ("RunDto.DisplayName", limits.MAX_NAME),
}


class NamesInUse(Protocol):
    """What a run or an experiment holds already: the names of its parameters, metrics and tags."""

    def parameters(self, run: str) -> Collection[str]:
        """Return the names of a run's parameters."""

    def metrics(self, run: str) -> Collection[str]:
        """Return the names of a run's metrics."""

    def tags(self, run: str) -> Collection[str]:
        """Return the names of a run's tags."""

    def experiment_tags(self, experiment: str) -> Collection[str]:
        """Return the names of an experiment's tags."""


def check_write(path: str, body: Mapping[str, Any], known: NamesInUse) -> None:
    """Raise `ApiError` for a write that Azure refuses; `path` is below `/api/2.0/mlflow/`."""
    if check := _CHECKS.get(path):
        check(body, known)


def azure_body(error: ApiError) -> dict[str, Any]:
    """Return a refusal as Azure's tracking server writes it; MLflow's client shows all of it."""
    blank = ("MessageFormat", "MessageParameters", "ReferenceCode", "DetailsUri", "Target")
    return {
        "Error": {
            "Code": error.code,
            "Severity": None,
            "Message": error.message,
            **dict.fromkeys(blank),
            "Details": [],
            "InnerError": None,
            "DebugInfo": None,
            "AdditionalInfo": None,
        },
        "ComponentName": "mlflow",
        "statusCode": error.status,
        "error_code": "INVALID_PARAMETER_VALUE",
    }


def _create_run(body: Mapping[str, Any], known: NamesInUse) -> None:
    check_length("RunDto.DisplayName", limits.MAX_NAME, _field(body, "run_name"))
    _check_tags(_pairs(body, "tags"), ())
    del known


def _update_run(body: Mapping[str, Any], known: NamesInUse) -> None:
    check_length("RunDto.DisplayName", limits.MAX_NAME, _field(body, "run_name"))
    del known


def _log_batch(body: Mapping[str, Any], known: NamesInUse) -> None:
    run = _run(body)
    _check_parameters(_pairs(body, "params"), run, known)
    _check_metrics([item.get("key") for item in _objects(body, "metrics")], run, known)
    if tags := _pairs(body, "tags"):
        _check_tags(tags, known.tags(run))


def _log_parameter(body: Mapping[str, Any], known: NamesInUse) -> None:
    _check_parameters({str(body.get("key")): body.get("value")}, _run(body), known)


def _log_metric(body: Mapping[str, Any], known: NamesInUse) -> None:
    _check_metrics([body.get("key")], _run(body), known)


def _set_tag(body: Mapping[str, Any], known: NamesInUse) -> None:
    _check_tags({str(body.get("key")): body.get("value")}, known.tags(_run(body)))


def _log_inputs(body: Mapping[str, Any], known: NamesInUse) -> None:
    check_size("RunDto.InputDatasets/Count", limits.MAX_INPUTS, len(_objects(body, "datasets")))
    del known


def _create_experiment(body: Mapping[str, Any], known: NamesInUse) -> None:
    limits.check_experiment(body.get("name"))
    check_length("ArtifactLocation", limits.MAX_ARTIFACT_LOCATION, _field(body, "artifact_location"))
    check_texts("ExperimentDto.Tags", _pairs(body, "tags"), max_key=limits.MAX_EXPERIMENT_TAG_KEY)
    del known


def _update_experiment(body: Mapping[str, Any], known: NamesInUse) -> None:
    limits.check_experiment(_field(body, "new_name"))
    del known


def _set_experiment_tag(body: Mapping[str, Any], known: NamesInUse) -> None:
    key, value = str(body.get("key")), body.get("value")
    if key == "mlflow.note.content":
        check_length("ExperimentDto.Description", limits.MAX_DESCRIPTION, value)
    else:
        names = known.experiment_tags(str(_field(body, "experiment_id")))
        check_texts("ExperimentDto.Tags", {key: value}, known=names, max_key=limits.MAX_EXPERIMENT_TAG_KEY)


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], NamesInUse], None]] = {
    "runs/create": _create_run,
    "runs/update": _update_run,
    "runs/log-batch": _log_batch,
    "runs/log-parameter": _log_parameter,
    "runs/log-metric": _log_metric,
    "runs/set-tag": _set_tag,
    "runs/log-inputs": _log_inputs,
    "experiments/create": _create_experiment,
    "experiments/update": _update_experiment,
    "experiments/set-experiment-tag": _set_experiment_tag,
}
WRITES = frozenset(_CHECKS)
"""The paths that are looked at."""


def _check_parameters(given: Mapping[str, Any], run: str, known: NamesInUse) -> None:
    for key, value in given.items():
        check_length("Parameters.Key", limits.MAX_PARAMETER_KEY, key)
        check_length("Parameters.Value", limits.MAX_PARAMETER_VALUE, value)
    if given:
        check_size("Parameters", limits.MAX_PARAMETERS, len({*known.parameters(run), *given}))


def _check_metrics(keys: Sequence[Any], run: str, known: NamesInUse) -> None:
    rows = Counter(str(key) for key in keys)
    for name, count in rows.items():
        check_length("MetricV2Dto.Name", limits.MAX_METRIC_NAME, name)
        check_size("MetricV2Dto.Value/Count", limits.MAX_METRIC_ROWS, count)
    if rows and (names := len({*known.metrics(run), *rows})) > limits.MAX_METRICS:
        error = OverLimit("MetricNames", limits.MAX_METRICS, names)
        error.message = f"Too many metrics for this run. {error.message}"
        raise error


def _check_tags(given: Mapping[str, Any], known: Collection[str]) -> None:
    for key, value in given.items():
        if key in _OWN_LENGTHS:
            check_length(*_OWN_LENGTHS[key], value)
    own = {key: value for key, value in given.items() if not key.startswith(_OWN_TAG)}
    if own:
        check_texts("RunDto.Tags", own, known=[key for key in known if not key.startswith(_OWN_TAG)])


def _run(body: Mapping[str, Any]) -> str:
    return str(_field(body, "run_id") or _field(body, "run_uuid") or "")


def _field(body: Mapping[str, Any], name: str) -> Any:
    """Return a field by either of the names that MLflow's reader takes for it: `run_id` or `runId`."""
    first, *rest = name.split("_")
    return body.get(name) or body.get(first + "".join(part.title() for part in rest))


def _objects(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the objects in a list; what is none is for MLflow to refuse."""
    found = body.get(key)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _pairs(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {str(item.get("key")): item.get("value") for item in _objects(body, key)}
