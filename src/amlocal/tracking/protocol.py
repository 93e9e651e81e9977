"""What the workspace and MLflow's process agree on: paths, names, the record of a run, the form of a message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from amlocal.core.context import USER
from amlocal.core.decoding import read_json
from amlocal.core.errors import BadRequest

PREFIX = "/mlflow"  # what the workspace's tracking URI ends in; MLflow serves all its paths below it
RUNS = "/runs"  # where the workspace records runs: outside `PREFIX`, so no client's request gets there
ARTIFACT_ROOT = "mlflow-artifacts:/"  # a run's artifacts are then at `mlflow-artifacts:/EXPERIMENT/RUN/artifacts`
SECRET_HEADER = "X-Amlocal-Secret"  # noqa: S105 - the header's name
SECRET_VARIABLE = "AMLOCAL_TRACKING_SECRET"  # noqa: S105 - the variable's name
LENIENT_VARIABLE = "AMLOCAL_TRACKING_LENIENT"  # set: Azure's limits are not looked at
DATABASE = "mlflow.db"  # in the folder that MLflow's process runs in
CONTAINER = "azureml"  # the container of the datastore workspaceartifactstore
MAX_BODY = 16 * 2**20  # bytes: the profile of a dataset, the longest thing that MLflow takes, has as many

RunStatus = Literal["SCHEDULED", "RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run is to be, whatever it was before. `run_id` is the job's name, as on Azure; `name` what people read."""

    run_id: str
    experiment: str
    name: str
    status: RunStatus
    started: datetime
    ended: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    user: str = USER

    def wire(self) -> dict[str, Any]:
        """Return the record for `mlflow_server.record_run`; moments are epoch milliseconds, as MLflow has them."""
        return {
            "experiment": self.experiment,
            "name": self.name,
            "status": self.status,
            "start_time": _milliseconds(self.started),
            "end_time": None if self.ended is None else _milliseconds(self.ended),
            "tags": dict(self.tags),
            "user": self.user,
        }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def decode_body(content: bytes) -> dict[str, Any]:
    """Return the decoded body of a client's call. Raises `BadRequest`: MLflow would take what is no JSON for nothing.

    Old clients encode twice, and MLflow decodes as often.
    """
    try:
        body = read_json(content, MAX_BODY)
        body = read_json(body, MAX_BODY) if isinstance(body, str) else body
    except ValueError as error:
        raise BadRequest(f"The request body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise BadRequest("The request body must be a JSON object.")
    return body
