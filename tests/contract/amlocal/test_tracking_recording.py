"""What the workspace relies on inside MLflow: its tables, its settings, its way to name a run's artifacts."""

import importlib
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, RESOURCE_ALREADY_EXISTS

from amlocal.tracking.mlflow_process import child_environ
from amlocal.tracking.protocol import RunRecord

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def serving() -> ModuleType:
    """What runs in MLflow's process; importing MLflow's server warns of what SQLAlchemy 2.1 deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("amlocal.tracking.mlflow_server")


@pytest.fixture(scope="module")
def store(serving: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    serving.ensure_schema(database)
    store = serving.SqlAlchemyStore(f"sqlite:///{database}", serving.ARTIFACT_ROOT)
    yield store
    store.engine.dispose()


def record(store: Any, run_id: str, facts: dict[str, Any]) -> None:
    importlib.import_module("amlocal.tracking.mlflow_server").record_run(store, run_id, facts)


def facts(name: str, *, experiment: str = "e", tags: dict[str, str] | None = None) -> dict[str, Any]:
    return RunRecord("ignored", experiment, name, "RUNNING", STARTED, tags=tags or {}).wire()


def test_a_recorded_run_is_as_mlflow_makes_one(store: Any) -> None:
    record(store, "recorded", facts("Name", experiment="made"))
    experiment = store.get_experiment_by_name("made").experiment_id
    own = store.create_run(experiment, "amlocal user", 1767323045000, [], "Name")
    ours = store.get_run("recorded")
    assert dict(ours.info) == dict(own.info) | {
        "run_id": "recorded",
        "artifact_uri": own.info.artifact_uri.replace(own.info.run_id, "recorded"),
    }
    assert ours.data.tags == own.data.tags


def test_recording_twice_changes_nothing(store: Any) -> None:
    for _ in range(2):
        record(store, "twice", facts("Name", tags={"a": "b"}))
        run = store.get_run("twice")
        assert (run.info.run_name, run.data.tags) == ("Name", {"a": "b", "mlflow.runName": "Name"})


def test_a_deleted_run_stays_deleted(store: Any) -> None:
    record(store, "deleted", facts("Name"))
    store.delete_run("deleted")
    record(store, "deleted", facts("Later"))
    assert store.get_run("deleted").info.lifecycle_stage == "deleted"


class Racing:
    """A store where a client makes the experiment between the look and the making."""

    def __init__(self, store: Any, code: int) -> None:
        self._store = store
        self._code = code
        self._looks = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get_experiment_by_name(self, name: str) -> Any:
        self._looks += 1
        return None if self._looks == 1 else self._store.get_experiment_by_name(name)

    def create_experiment(self, name: str) -> str:
        self._store.create_experiment(name)
        raise MlflowException("no", error_code=self._code)


def test_an_experiment_that_a_client_makes_meanwhile_is_used(store: Any) -> None:
    record(Racing(store, RESOURCE_ALREADY_EXISTS), "raced", facts("Name", experiment="raced"))
    made = store.get_experiment_by_name("raced").experiment_id
    assert store.get_run("raced").info.experiment_id == made


def test_an_experiment_that_cannot_be_made_is_an_error(store: Any) -> None:
    with pytest.raises(MlflowException, match="no"):
        record(Racing(store, INTERNAL_ERROR), "failed", facts("Name", experiment="failed"))


def test_the_database_is_in_wal_mode(store: Any) -> None:
    with closing(sqlite3.connect(store.engine.url.database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_that_is_there_is_left_alone(serving: ModuleType, tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    database.write_bytes(b"as it was")
    serving.ensure_schema(database)
    assert database.read_bytes() == b"as it was"


def test_an_interrupted_schema_is_none(serving: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(engine: Any) -> None:
        raise KeyboardInterrupt

    for leftover in ("mlflow.new", "mlflow.new-journal"):
        (tmp_path / leftover).write_bytes(b"of an earlier interruption")
    monkeypatch.setattr(serving.utils, "_initialize_tables", interrupted)
    with pytest.raises(KeyboardInterrupt):
        serving.ensure_schema(tmp_path / "mlflow.db")
    assert not (tmp_path / "mlflow.db").exists()


def test_the_server_is_given_in_mlflows_own_variables(serving: ModuleType) -> None:
    constants = importlib.import_module("mlflow.server.constants")
    names = {
        constants.BACKEND_STORE_URI_ENV_VAR,
        constants.ARTIFACT_ROOT_ENV_VAR,
        constants.SERVE_ARTIFACTS_ENV_VAR,
        serving.handlers.STATIC_PREFIX_ENV_VAR,
    }
    assert names <= child_environ({}, "secret").keys()
