"""What Azure ML's tracking server serves, and no more: the rest of MLflow's server is refused before MLflow sees it.

The list is that of MLflow's REST API 2.0 as the azureml-mlflow plug-in speaks it. What is missing was found by others,
with their clients' messages: logged models end in 404 with an empty body (azure-sdk-for-python issue 44896), traces in
403 (issue 40261); that what else MLflow 3 added is missing too is concluded from the first. MLflow's client prints the
body, so here it says what to do instead. A list of what passes, not of what does not: MLflow's server also fetches
URLs, keeps secrets and reads files for its pages, and each of its versions adds to that.
"""

import re
from dataclasses import dataclass
from typing import Any

from amlocal.core.errors import ApiError
from amlocal.core.http import Reply
from amlocal.tracking.artifacts import unsafe_path
from amlocal.tracking.errors import mlflow_error
from amlocal.tracking.protocol import ARTIFACT_ROOT

_AZURE_SERVES = {
    "GET": re.compile(
        r"2\.0/mlflow/(experiments/(get|get-by-name|search)|runs/get|metrics/(get-history|get-history-bulk-interval))"
        r"|3\.0/mlflow/server-info"  # MLflow 3's clients ask first, and take any answer
    ),
    "POST": re.compile(
        r"2\.0/mlflow/(experiments/(create|delete|restore|search|update|set-experiment-tag|delete-experiment-tag)"
        r"|runs/(create|delete|restore|search|update|set-tag|delete-tag|log-batch|log-inputs|log-metric|log-model"
        r"|log-parameter))"
    ),
}
# What `--lenient` adds: MLflow 3's own API, without what fetches URLs (webhooks, the gateway), keeps secrets, starts
# jobs or chooses where files are (workspaces).
_RELAXED = re.compile(
    r"2\.0/mlflow/(runs/outputs|get-online-trace-details)"
    r"|[23]\.0/mlflow/(logged-models|traces|unified-traces|datasets|scorers|label-schemas|review-queues|issues)(/.*)?"
)
# MLflow's pages in the browser, which Azure does not have: they ask for all of these, and show what is there.
_PAGES_READ = re.compile(
    r"2\.0/mlflow/(metrics/get-history-bulk|(registered-models|model-versions)/(get|search|get-latest-versions|alias)"
    r"|logged-models/[^/]+|webhooks|unified-traces)"
    r"|[23]\.0/mlflow/(traces|datasets|scorers|label-schemas|review-queues|issues)(/.*)?"
    r"|3\.0/mlflow/(ui-telemetry|workspaces|gateway/[\w-]+/list)"
)
_PAGES_ASK = re.compile(
    r"2\.0/mlflow/(logged-models/search|experiments/search-datasets|registered-models/get-latest-versions)"
    r"|[23]\.0/mlflow/traces/(search|metrics|batchGetInfos|calculate-filter-correlation)"
    r"|3\.0/mlflow/(search-traces|(datasets|issues|prompt-optimization/jobs)/search)"
)
_PAGES = {"GET": re.compile(r"|static-files/.*|version|health"), "POST": re.compile("graphql")}
# Trace data and logged models' files are read from wherever a tag of theirs says that they are.
_FILES = re.compile(r".*/(artifacts(/.*)?|get-trace-artifact|link-prompts)")
_REGISTRY = re.compile(r"[23]\.0/mlflow/(registered-models|model-versions)(/.*)?")


@dataclass(frozen=True, slots=True)
class _Missing:
    """An API that Azure ML's tracking server answers with `status`; `paths` are below `/api/` or `/ajax-api/`."""

    paths: re.Pattern[str]
    status: int
    message: str


_ON_AZURE = (
    _Missing(
        re.compile(r"[23]\.0/mlflow/logged-models(/.*)?"),
        404,
        "Azure ML's tracking server has no logged models, so mlflow.<flavor>.log_model of MLflow 2.17 and later fails "
        "there: use autolog(log_models=False), save_model and log_artifacts (amlocal refuses what Azure refuses).",
    ),
    _Missing(
        re.compile(r"[23]\.0/mlflow/(traces|unified-traces|get-online-trace-details)(/.*)?"),
        403,
        "Azure ML's tracking server takes no traces (amlocal refuses what Azure refuses).",
    ),
    _Missing(
        re.compile(r"2\.0/mlflow/webhooks(/.*)?|3\.0/mlflow/.*"),
        404,
        "Azure ML's tracking server has the API of MLflow 2, without webhooks (amlocal refuses what Azure refuses).",
    ),
)


def azure_serves(method: str, api: str) -> bool:
    """Return whether Azure ML's tracking server has a call; `api` is its path below `/api/`."""
    return _matches(_AZURE_SERVES.get("GET" if method == "HEAD" else method), api)


def refusal(method: str, path: str, *, lenient: bool) -> Reply | None:
    """Return the answer to a request that MLflow must not see, or None. `path` is decoded, below the prefix."""
    prefix, _, api = path.partition("/")
    if path == "v1/traces":
        prefix, api = "api", "3.0/mlflow/traces"  # the same API in OpenTelemetry's terms
    method = "GET" if method == "HEAD" else method
    if _served(method, path, prefix, api, lenient=lenient):
        return None
    if prefix in ("api", "ajax-api"):
        if _REGISTRY.fullmatch(api):
            return mlflow_error(ApiError(501, f"amlocal does not serve {method} {path}: register through azure-ai-ml."))
        for missing in _ON_AZURE if not lenient else ():
            if missing.paths.fullmatch(api):
                return Reply(missing.status, missing.message.encode(), media_type="text/plain; charset=utf-8")
    return mlflow_error(ApiError(404, f"Azure ML's tracking server does not serve {method} {path}, nor does amlocal."))


def _served(method: str, path: str, prefix: str, api: str, *, lenient: bool) -> bool:
    if prefix not in ("api", "ajax-api"):
        return _matches(_PAGES.get(method), path)
    if _matches(_AZURE_SERVES.get(method), api):
        return True
    if _FILES.fullmatch(api):
        return False
    if prefix == "ajax-api" and _matches({"GET": _PAGES_READ, "POST": _PAGES_ASK}.get(method), api):
        return True
    return lenient and _matches(_RELAXED, api)


def _matches(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is not None and pattern.fullmatch(text) is not None


# How MLflow's messages name a place that it will read or write, underscores and case aside: its parser of messages
# takes `artifact_location` and `artifactLocation` alike.
_PLACES = frozenset({"artifactlocation", "artifacturi", "artifactroot", "defaultartifactroot", "rooturi"})
_PLACE_TAG = "mlflow.artifactlocation"  # of a trace


def check_places(body: Any) -> None:
    """Raise `ApiError` 400 when a message has MLflow read or write anywhere but below the workspace's own artifacts.

    `body` is decoded JSON. A place may be left out, as Azure's clients do: then it is the workspace's choice.
    """
    for name, value in _members(body):
        if value in (None, ""):
            continue
        if not (isinstance(value, str) and _is_own(value)):
            raise ApiError(
                400,
                f"Invalid value {value!r} for {name}: artifacts are kept in the workspace's own storage "
                f"({ARTIFACT_ROOT}); leave {name} out.",
            )


def _is_own(place: str) -> bool:
    path = place.removeprefix(ARTIFACT_ROOT)
    return path != place and not path.startswith("/") and "?" not in path and "#" not in path and not unsafe_path(path)


def _names_a_place(key: str) -> bool:
    return key.replace("_", "").lower() in _PLACES or key.lower() == _PLACE_TAG


def _members(body: Any) -> list[tuple[str, Any]]:
    """Return the members at any depth, and the tags, that name a place."""
    found: list[tuple[str, Any]] = []
    pending = [body]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found += [(key, inner) for key, inner in value.items() if _names_a_place(key)]
            if str(value.get("key")).lower() == _PLACE_TAG:
                found.append((str(value["key"]), value.get("value")))
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return found
