"""MLflow's own server application, with one route more: it records runs whose ids the workspace chose.

Runs in MLflow's process: this module imports MLflow. The application is MLflow's Flask one, which serves all of
tracking, the registry and the browser's pages. The FastAPI wrapper that `mlflow server` puts around it adds a
language-model gateway, an assistant and job workers: none of Azure ML's, some of them calling out, and another second
to import.

MLflow's API gives every run an id of its own making; Azure's tracking server has the job's name there. So the run is
written through MLflow's own table classes, just as `SqlAlchemyStore.create_run` (MLflow 3.15) writes one: the artifact
location is the experiment's, then the run's id, then `artifacts`; the run's name is also its tag `mlflow.runName`.
The id's column is declared with 32 characters, which SQLite does not enforce; MLflow's own check takes 256.
"""

import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from flask import Response, g, jsonify, request
from mlflow.entities.lifecycle_stage import LifecycleStage
from mlflow.exceptions import MlflowException
from mlflow.server import app, handlers
from mlflow.store.db import utils
from mlflow.store.tracking.dbmodels.models import SqlExperimentTag, SqlLatestMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from mlflow.utils.uri import append_to_uri_path
from sqlalchemy import Engine, event
from werkzeug.serving import WSGIRequestHandler, make_server

from amlocal.core.errors import ApiError
from amlocal.tracking.protocol import ARTIFACT_ROOT, DATABASE, LENIENT_VARIABLE, PREFIX, RUNS
from amlocal.tracking.write_limits import WRITES, azure_body, check_write

Store = Any  # MLflow's `SqlAlchemyStore`, whose methods have no annotations
_FIXED = {"source_type": "JOB", "source_name": "", "entry_point_name": "", "source_version": ""}
_WRITE = re.compile(rf"{PREFIX}/(?:ajax-)?api/2\.0/mlflow/(.*)")


def record_run(store: Store, run_id: str, facts: Mapping[str, Any]) -> None:
    """Create the run or bring it up to date; `facts` is `RunRecord.wire()`. The same call twice changes nothing.

    A run that a person deleted stays deleted. What the job's own code logged is left as it is.
    """
    experiment = _experiment(store, facts["experiment"])
    with store.ManagedSessionMaker(read_only=False) as session:
        run = session.get(SqlRun, run_id)
        if run is None:
            location = append_to_uri_path(  # type: ignore[no-untyped-call]
                experiment.artifact_location, run_id, SqlAlchemyStore.ARTIFACTS_FOLDER_NAME
            )
            run = SqlRun(
                run_uuid=run_id,
                experiment_id=int(experiment.experiment_id),
                artifact_uri=location,
                lifecycle_stage=LifecycleStage.ACTIVE,
                user_id=facts["user"],
                **_FIXED,
            )
            session.add(run)
        run.name, run.status = facts["name"], facts["status"]
        run.start_time, run.end_time = facts["start_time"], facts["end_time"]
        for key, value in {**facts["tags"], MLFLOW_RUN_NAME: facts["name"]}.items():
            session.merge(SqlTag(run_uuid=run_id, key=key, value=value))


class StoredNames:
    """What a run or an experiment holds: names alone, by one query each."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def parameters(self, run: str) -> set[str]:
        """Return the names of a run's parameters."""
        return self._names(SqlParam.key, SqlParam.run_uuid == run)

    def metrics(self, run: str) -> set[str]:
        """Return the names of a run's metrics."""
        return self._names(SqlLatestMetric.key, SqlLatestMetric.run_uuid == run)

    def tags(self, run: str) -> set[str]:
        """Return the names of a run's tags."""
        return self._names(SqlTag.key, SqlTag.run_uuid == run)

    def experiment_tags(self, experiment: str) -> set[str]:
        """Return the names of an experiment's tags."""
        return self._names(SqlExperimentTag.key, SqlExperimentTag.experiment_id == experiment)

    def _names(self, column: Any, of: Any) -> set[str]:
        with self._store.ManagedSessionMaker() as session:
            return {key for (key,) in session.query(column).filter(of)}


def _experiment(store: Store, name: str) -> Any:
    """Return the active experiment of this name: made when missing, restored when deleted."""
    experiment = store.get_experiment_by_name(name)
    if experiment is None:
        try:
            return store.get_experiment(store.create_experiment(name))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return store.get_experiment_by_name(name)  # a client made it in between
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        store.restore_experiment(experiment.experiment_id)
    return experiment


class _QuietHandler(WSGIRequestHandler):
    """Says nothing of requests that went well: the workspace logs them."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write no line."""


def serve(guard: Callable[[WSGIApplication], WSGIApplication], announce: Callable[[int], None]) -> None:
    """Serve the database in the working folder on a free loopback port, one thread a request, until killed."""
    event.listen(Engine, "connect", _sync_at_checkpoints)
    ensure_schema(Path(DATABASE))
    uri = f"sqlite:///{DATABASE}"
    handlers.initialize_backend_stores(uri, uri, ARTIFACT_ROOT)
    store = SqlAlchemyStore(uri, ARTIFACT_ROOT)  # type: ignore[no-untyped-call]

    def put_run(run_id: str) -> dict[str, str]:
        record_run(store, run_id, request.get_json())
        return {}

    view = handlers.catch_mlflow_exception(put_run)  # type: ignore[no-untyped-call]
    if not os.environ.get(LENIENT_VARIABLE):
        _keep_limits(StoredNames(store))
    app.add_url_rule(f"{RUNS}/<run_id>", "put_run", view, methods=["PUT"])
    server = make_server("127.0.0.1", 0, guard(app), threaded=True, request_handler=_QuietHandler)
    announce(server.port)
    server.serve_forever()


def _keep_limits(known: StoredNames) -> None:
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
            check_write(found[1], _request_body(), known)
        except ApiError as error:
            answer = jsonify(azure_body(error))
            answer.status_code = error.status
            return answer
        return None

    @app.teardown_request
    def done(_: BaseException | None) -> None:
        if g.pop("writing", False):
            writing.release()


def _request_body() -> dict[str, Any]:
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


def _sync_at_checkpoints(connection: sqlite3.Connection, _record: object) -> None:
    """Have SQLite sync at checkpoints, not at commits: in WAL mode only a power cut can then take the last writes."""
    connection.execute("PRAGMA synchronous=NORMAL")
