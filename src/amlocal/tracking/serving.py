"""MLflow's own server application, with one route more. Runs in MLflow's process: this module may import MLflow.

The application is MLflow's Flask one, which serves all of tracking, the registry and the browser's pages. The FastAPI
wrapper that `mlflow server` puts around it adds a language-model gateway, an assistant and job workers: none of
Azure ML's, some of them calling out, and another second to import.
"""

import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from flask import Response, g, jsonify, request
from mlflow.server import app, handlers
from mlflow.store.db import utils
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import Engine, event
from werkzeug.serving import WSGIRequestHandler, make_server

from amlocal.core.errors import ApiError
from amlocal.tracking.layout import ARTIFACT_ROOT, DATABASE, LENIENT_VARIABLE, PREFIX, RUNS
from amlocal.tracking.limits import WRITES, azure_body, check_write
from amlocal.tracking.recording import KnownNames, record


class _Quiet(WSGIRequestHandler):
    """Says nothing of requests that went well: the workspace logs them."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write no line."""


def serve(guard: Callable[[WSGIApplication], WSGIApplication], announce: Callable[[int], None]) -> None:
    """Serve the database in the working folder on a free loopback port, one thread a request, until killed."""
    event.listen(Engine, "connect", _sync_sometimes)
    ensure_schema(Path(DATABASE))
    uri = f"sqlite:///{DATABASE}"
    handlers.initialize_backend_stores(uri, uri, ARTIFACT_ROOT)
    store = SqlAlchemyStore(uri, ARTIFACT_ROOT)  # type: ignore[no-untyped-call]

    def put_run(run_id: str) -> dict[str, str]:
        record(store, run_id, request.get_json())
        return {}

    view = handlers.catch_mlflow_exception(put_run)  # type: ignore[no-untyped-call]
    if not os.environ.get(LENIENT_VARIABLE):
        _keep_limits(KnownNames(store))
    app.add_url_rule(f"{RUNS}/<run_id>", "put_run", view, methods=["PUT"])
    server = make_server("127.0.0.1", 0, guard(app), threaded=True, request_handler=_Quiet)
    announce(server.port)
    server.serve_forever()


_WRITE = re.compile(rf"{PREFIX}/(?:ajax-)?api/2\.0/mlflow/(.*)")


def _keep_limits(known: KnownNames) -> None:
    """Have Azure's limits looked at before MLflow sees a write; one at a time, as what a run holds counts."""
    writing = threading.Lock()

    @app.before_request
    def check() -> Response | None:
        found = _WRITE.fullmatch(request.path)
        if found is None or request.method != "POST" or found[1] not in WRITES:
            return None
        writing.acquire()
        g.writing = True
        try:
            check_write(found[1], _sent(), known)
        except ApiError as error:
            answer = jsonify(azure_body(error))
            answer.status_code = error.status
            return answer
        return None

    @app.teardown_request
    def done(_: BaseException | None) -> None:
        if g.pop("writing", False):
            writing.release()


def _sent() -> dict[str, Any]:
    """Return the body of a request, {} for one that MLflow will refuse."""
    body = request.get_json(force=True, silent=True)
    if isinstance(body, str):  # as MLflow's clients once wrote it
        with suppress(ValueError):
            body = json.loads(body)
    return body if isinstance(body, dict) else {}


def ensure_schema(database: Path) -> None:
    """Make the SQLite file with MLflow's tables unless it is there, all of them or none.

    MLflow builds them in dozens of migrations which cannot go on where they were interrupted, so the file gets its
    name when they are through. WAL mode, which lasts, lets readers and the writer go on side by side.
    """
    if database.exists():
        return
    fresh = database.with_suffix(".new")
    for leftover in database.parent.glob(f"{fresh.name}*"):  # with its journals: they would be taken for the new file's
        leftover.unlink()
    with closing(sqlite3.connect(fresh)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    engine = utils.create_sqlalchemy_engine(f"sqlite:///{fresh}")  # type: ignore[no-untyped-call]
    utils._initialize_tables(engine)  # type: ignore[no-untyped-call]  # noqa: SLF001 - what `SqlAlchemyStore` calls
    engine.dispose()
    fresh.replace(database)


def _sync_sometimes(connection: sqlite3.Connection, _record: object) -> None:
    """Have SQLite sync at checkpoints, not at commits: in WAL mode only a power cut can then take the last writes."""
    connection.execute("PRAGMA synchronous=NORMAL")
