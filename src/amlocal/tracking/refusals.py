"""What Azure ML's tracking server does not have, refused here too; and what only amlocal lacks.

Found by others, with their clients' messages: logged models end in 404 with an empty body (azure-sdk-for-python issue
44896), traces in 403 (issue 40261); that what else MLflow 3 added is missing too is concluded from the first. MLflow's
client prints the body, so here it says what to do instead.
"""

import re
from dataclasses import dataclass

from amlocal.core.errors import ApiError
from amlocal.core.http import Reply
from amlocal.tracking.errors import mlflow_error


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
        re.compile(r"2\.0/mlflow/webhooks(/.*)?|3\.0/mlflow/(?!traces|logged-models|server-info).*"),
        404,
        "Azure ML's tracking server has the API of MLflow 2, without webhooks (amlocal refuses what Azure refuses).",
    ),
    _Missing(
        re.compile(r"[23]\.0/mlflow/(traces|unified-traces|get-online-trace-details)(/.*)?"),
        403,
        "Azure ML's tracking server takes no traces (amlocal refuses what Azure refuses).",
    ),
)
_REGISTRY = re.compile(r"[23]\.0/mlflow/(registered-models|model-versions)(/.*)?")
# MLflow's pages in the browser, which Azure does not have, ask for all of these to show them; nothing is in them.
_LOOKED_AT = re.compile(r".*/(search|search-traces|metrics|batchGetInfos|calculate-filter-correlation)")


def refusal(method: str, path: str, *, lenient: bool) -> Reply | None:
    """Return the answer to a request that MLflow must not see, or None. `path` is decoded, below the prefix."""
    face, _, api = path.partition("/")
    if path == "v1/traces":
        face, api = "api", "3.0/mlflow/traces"  # the same API in OpenTelemetry's terms
    if face not in ("api", "ajax-api") or (face == "ajax-api" and (method == "GET" or _LOOKED_AT.fullmatch(api))):
        return None
    if _REGISTRY.fullmatch(api):
        return mlflow_error(ApiError(501, f"amlocal does not serve {method} {path}: register through azure-ai-ml."))
    for missing in () if lenient else _ON_AZURE:
        if missing.paths.fullmatch(api):
            return Reply(missing.status, missing.message.encode(), media_type="text/plain; charset=utf-8")
    return None
