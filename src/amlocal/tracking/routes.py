"""Which paths of tracking the workspace answers itself, and which MLflow does."""

from dataclasses import dataclass

from amlocal.core.http import Call, Reply, Route
from amlocal.tracking.artifact_routes import ArtifactRoutes
from amlocal.tracking.errors import AsyncHandler, in_mlflow_terms
from amlocal.tracking.layout import PREFIX
from amlocal.tracking.session import CheckToken, check_visitor, welcome

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_Row = tuple[str, str, AsyncHandler]


def _artifact_rows(face: str, artifacts: ArtifactRoutes) -> list[_Row]:
    root = f"{PREFIX}/{face}/2.0"
    files = f"{root}/mlflow-artifacts/artifacts"
    return [
        ("GET", files, artifacts.list),
        ("GET", f"{files}/{{path:path}}", artifacts.download),
        ("PUT", f"{files}/{{path:path}}", artifacts.upload),
        ("DELETE", f"{files}/{{path:path}}", artifacts.delete),
        ("GET", f"{root}/mlflow/artifacts/list", artifacts.list_run),
        *((method, f"{root}/mlflow-artifacts/{{rest:path}}", artifacts.refuse_parts) for method in _METHODS),
    ]


@dataclass(frozen=True, slots=True)
class Pages:
    """The browser's way in: every handler that it wraps asks for the token, as bearer or as cookie."""

    forward: AsyncHandler
    check: CheckToken

    async def home(self, call: Call) -> Reply:
        """GET `/mlflow/`: the pages' first, or, with `?token=`, the start of a visit."""
        if not call.target.partition("?")[0].endswith("/"):  # the pages' own links are relative to the slash
            return Reply(308, headers={"Location": call.url.replace(PREFIX, f"{PREFIX}/", 1)})
        if token := call.query.get("token"):
            self.check(token)
            return welcome(token, call.headers.get("host", ""))
        return await self.visited(self.forward)(call)

    def visited(self, handler: AsyncHandler) -> AsyncHandler:
        """Return the handler with the check before it."""

        async def answer(call: Call) -> Reply:
            check_visitor(call, self.check)
            return await handler(call)

        return answer


def tracking_routes(artifacts: ArtifactRoutes, forward: AsyncHandler, check: CheckToken) -> list[Route]:
    """Return the routes below `PREFIX`. Programs bring their token to `/api`; all other paths are for the browser."""
    pages = Pages(forward, check)
    programs: list[_Row] = [
        *_artifact_rows("api", artifacts),
        *((method, f"{PREFIX}/api/{{rest:path}}", forward) for method in _METHODS),
    ]
    browser: list[_Row] = [
        *_artifact_rows("ajax-api", artifacts),
        ("GET", f"{PREFIX}/get-artifact", artifacts.get_artifact),
        *((method, f"{PREFIX}/{{rest:path}}", forward) for method in _METHODS),
    ]
    return [
        Route("GET", PREFIX, in_mlflow_terms(pages.home), auth="open"),
        *(_route(row, auth="bearer") for row in programs),
        *(_route((method, path, pages.visited(handler)), auth="open") for method, path, handler in browser),
    ]


def _route(row: _Row, *, auth: str) -> Route:
    method, path, handler = row
    streaming = method == "PUT" and path.endswith("/mlflow-artifacts/artifacts/{path:path}")
    return Route(method, path, in_mlflow_terms(handler), auth=auth, streaming=streaming)
