"""Writes runs whose ids are chosen by the workspace. Runs in MLflow's process: this module may import MLflow.

MLflow's API gives every run an id of its own making; Azure's tracking server has the job's name there. So the run is
written through MLflow's own table classes, just as `SqlAlchemyStore.create_run` (MLflow 3.15) writes one: the artifact
location is the experiment's, then the run's id, then `artifacts`; the run's name is also its tag `mlflow.runName`.
The id's column is declared with 32 characters, which SQLite does not enforce; MLflow's own check takes 256.
"""

from collections.abc import Mapping
from typing import Any

from mlflow.entities.lifecycle_stage import LifecycleStage
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.dbmodels.models import SqlExperimentTag, SqlLatestMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from mlflow.utils.uri import append_to_uri_path

Store = Any  # MLflow's `SqlAlchemyStore`, whose methods have no annotations
_FIXED = {"source_type": "JOB", "source_name": "", "entry_point_name": "", "source_version": ""}


def record(store: Store, run_id: str, facts: Mapping[str, Any]) -> None:
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


class KnownNames:
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
