"""Which paths of tracking the workspace answers itself, and which MLflow does."""

from collections.abc import Callable
from dataclasses import replace

from amlocal.core.errors import Forbidden
from amlocal.core.http import Call, Reply, Route
from amlocal.tracking.artifacts import ArtifactRoutes
from amlocal.tracking.errors import AsyncHandler, in_mlflow_terms
from amlocal.tracking.job_access import JobAccess, JobHandler
from amlocal.tracking.protocol import MAX_BODY, PREFIX
from amlocal.tracking.session import CheckToken, check_browser, check_program, start_session

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_FILE = "/mlflow-artifacts/artifacts/{path:path}"
_Row = tuple[str, str, AsyncHandler, JobHandler]  # the last answers calls with a job's token
_CheckCall = Callable[[Call, CheckToken], str | None]


def tracking_routes(
    artifacts: ArtifactRoutes, forward: AsyncHandler, jobs: JobAccess, check: CheckToken
) -> list[Route]:
    """Return the routes below `PREFIX`. Programs call `/api`; all other paths are for MLflow's pages in the browser."""
    programs = [*_artifact_rows("api", artifacts, jobs), *_every_method("/api/{rest:path}", forward, jobs.api)]
    browser = [
        *_artifact_rows("ajax-api", artifacts, jobs),
        ("GET", f"{PREFIX}/get-artifact", artifacts.get_artifact, _refuse_job),
        *_every_method("/{rest:path}", forward, _refuse_job),
    ]
    return [
        Route("GET", PREFIX, in_mlflow_terms(_home(forward, check)), auth="open", streaming=True),
        *(_route(row, check_program, check) for row in programs),
        *(_route(row, check_browser, check) for row in browser),
    ]


def _artifact_rows(api_root: str, artifacts: ArtifactRoutes, jobs: JobAccess) -> list[_Row]:
    root = f"{PREFIX}/{api_root}/2.0"
    return [
        *(
            (method, f"{root}{path}", handler, jobs.of_path(handler))
            for method, path, handler in (
                ("GET", "/mlflow-artifacts/artifacts", artifacts.list),
                ("GET", _FILE, artifacts.download),
                ("PUT", _FILE, artifacts.upload),
                ("DELETE", _FILE, artifacts.delete),
            )
        ),
        ("GET", f"{root}/mlflow/artifacts/list", artifacts.list_run, jobs.of_run(artifacts.list_run)),
        *_every_method(
            f"/{api_root}/2.0/mlflow-artifacts/{{rest:path}}",
            artifacts.refuse_parts,
            lambda call, _: artifacts.refuse_parts(call),
        ),
    ]


def _every_method(path: str, handler: AsyncHandler, for_job: JobHandler) -> list[_Row]:
    return [(method, f"{PREFIX}{path}", handler, for_job) for method in _METHODS]


async def _refuse_job(call: Call, job: str) -> Reply:
    raise Forbidden(job, call.method, call.target.partition("?")[0])


def _route(row: _Row, check_call: _CheckCall, check: CheckToken) -> Route:
    """Return a route that is open to the application: a refused token, too, is answered in MLflow's terms."""
    method, path, handler, for_job = row

    async def answer(call: Call) -> Reply:
        job = check_call(call, check)
        call.mark_authenticated()
        whole = call if streams else replace(call, content=call.content or await call.whole(MAX_BODY))
        return await (handler(whole) if job is None else for_job(whole, job))

    streams = method == "PUT" and path.endswith(_FILE)
    return Route(method, path, in_mlflow_terms(answer), auth="open", streaming=True)


def _home(forward: AsyncHandler, check: CheckToken) -> AsyncHandler:
    async def home(call: Call) -> Reply:
        """GET `/mlflow/`: the first of MLflow's pages or, with `?token=`, the start of a visit."""
        if not call.target.partition("?")[0].endswith("/"):  # the pages' own links are relative to the slash
            return Reply(308, headers={"Location": f"{PREFIX}/?{call.target.partition('?')[2]}"})
        token = call.query.get("token")
        job = check(token) if token else check_browser(call, check)
        call.mark_authenticated()
        if job is not None:
            return await _refuse_job(call, job)
        return start_session(token, call.headers.get("host", "")) if token else await forward(call)

    return home
