"""Which paths of tracking the workspace answers itself, and which MLflow does."""

from collections.abc import Callable
from dataclasses import replace

from amlocal.core.http import Call, Reply, Route
from amlocal.tracking.artifact_routes import ArtifactRoutes
from amlocal.tracking.errors import AsyncHandler, in_mlflow_terms
from amlocal.tracking.layout import PREFIX
from amlocal.tracking.session import CheckToken, check_program, check_visitor, welcome

MAX_BODY = 16 * 2**20
"""Bytes: the profile of a dataset, the longest thing that MLflow takes (mlflow.utils.validation), has 16 MB."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_FILE = "/mlflow-artifacts/artifacts/{path:path}"
_Row = tuple[str, str, AsyncHandler]
_CheckCall = Callable[[Call, CheckToken], None]


def tracking_routes(artifacts: ArtifactRoutes, forward: AsyncHandler, check: CheckToken) -> list[Route]:
    """Return the routes below `PREFIX`. Programs call `/api`; all other paths are for MLflow's pages in the browser."""
    programs = [*_artifact_rows("api", artifacts), *_every_method("/api/{rest:path}", forward)]
    browser = [
        *_artifact_rows("ajax-api", artifacts),
        ("GET", f"{PREFIX}/get-artifact", artifacts.get_artifact),
        *_every_method("/{rest:path}", forward),
    ]
    return [
        Route("GET", PREFIX, in_mlflow_terms(_home(forward, check)), auth="open", streaming=True),
        *(_route(row, check_program, check) for row in programs),
        *(_route(row, check_visitor, check) for row in browser),
    ]


def _artifact_rows(face: str, artifacts: ArtifactRoutes) -> list[_Row]:
    root = f"{PREFIX}/{face}/2.0"
    return [
        ("GET", f"{root}/mlflow-artifacts/artifacts", artifacts.list),
        ("GET", f"{root}{_FILE}", artifacts.download),
        ("PUT", f"{root}{_FILE}", artifacts.upload),
        ("DELETE", f"{root}{_FILE}", artifacts.delete),
        ("GET", f"{root}/mlflow/artifacts/list", artifacts.list_run),
        *_every_method(f"/{face}/2.0/mlflow-artifacts/{{rest:path}}", artifacts.refuse_parts),
    ]


def _every_method(path: str, handler: AsyncHandler) -> list[_Row]:
    return [(method, f"{PREFIX}{path}", handler) for method in _METHODS]


def _route(row: _Row, check_call: _CheckCall, check: CheckToken) -> Route:
    """Return a route that is open to the application: a refused token, too, is answered in MLflow's terms."""
    method, path, handler = row

    async def answer(call: Call) -> Reply:
        check_call(call, check)
        call.admit()
        return await handler(call if streams else replace(call, content=call.content or await call.whole(MAX_BODY)))

    streams = method == "PUT" and path.endswith(_FILE)
    return Route(method, path, in_mlflow_terms(answer), auth="open", streaming=True)


def _home(forward: AsyncHandler, check: CheckToken) -> AsyncHandler:
    async def home(call: Call) -> Reply:
        """GET `/mlflow/`: the first of MLflow's pages or, with `?token=`, the start of a visit."""
        if not call.target.partition("?")[0].endswith("/"):  # the pages' own links are relative to the slash
            return Reply(308, headers={"Location": f"{PREFIX}/?{call.target.partition('?')[2]}"})
        if token := call.query.get("token"):
            check(token)
            call.admit()
            return welcome(token, call.headers.get("host", ""))
        check_visitor(call, check)
        call.admit()
        return await forward(call)

    return home
