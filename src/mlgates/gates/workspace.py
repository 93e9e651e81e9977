"""Where a gate's evidence comes from when candidate and champion live in a workspace."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from mlgates.core.errors import MlgatesError
from mlgates.core.files import sha256_of_path
from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion
from mlgates.delivery.assets import download_data
from mlgates.delivery.jobs import REPRODUCES, jobs_of
from mlgates.delivery.mlflow_runs import download_artifact, run_metrics
from mlgates.delivery.models import download_model
from mlgates.gates.errors import CouldNotRun
from mlgates.gates.evidence import Model, Table

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

HELD_OUT = "held_out.json"
"""The artifact in which a training run names the rows that it set aside: `{"rows": [3, 7], "of": 10}`."""
T = TypeVar("T")


class WorkspaceEvidence:
    """Fetches into `folder`, which is this gate's own."""

    def __init__(self, client: "MLClient", folder: Path, *, label: str) -> None:
        self._client = client
        self._folder = folder
        self._label = label
        self._tables: dict[str, pd.DataFrame] = {}

    def model(self, version: AssetVersion) -> Model:
        """Return a model version with its files. Raises `MlgatesError`: without the files there is no gate."""
        files = download_model(self._client, version, self._folder / "models" / version.version)
        return Model(str(version), files, sha256=sha256_of_path(files), tags=version.tags)

    def training_set(self, model: Model) -> pd.DataFrame:
        """Return the table that `model` was trained on, by its lineage."""
        reference = Lineage.from_tags(model.tags).data
        if reference not in self._tables:
            folder = self._folder / "data" / reference.replace(":", "-")
            file = _available(lambda: download_data(self._client, reference, folder), "register the model by mlgates")
            self._tables[reference] = read_table(file, reference)
        return self._tables[reference]

    def held_out(self, model: Model) -> Table:
        """Return the rows of its data on which `model` was not trained, without the label among the features."""
        job = Lineage.from_tags(model.tags).job
        remedy = f"log {HELD_OUT} in training: the numbers of the rows set aside (docs/gates.md)"
        file = _available(lambda: download_artifact(self._client, job, HELD_OUT, self._folder / job), remedy)
        rows, of = rows_named(file.read_text(encoding="utf-8"))
        return table_of(self.training_set(model), rows, of, label=self._label, features=_names(model))

    def reproduced_metrics(self, model: Model, experiment: str) -> dict[str, float] | None:
        """Return what a second training of `model` scored, None when there was none.

        That is the newest completed job of `experiment` with the tag `reproduces=JOB`, of the same commit, data and
        environment as `model`.
        """
        wanted = Lineage.from_tags(model.tags)
        for job in jobs_of(self._client, experiment):
            theirs = Lineage.from_tags(job.tags)
            if (
                job.status == "Completed"
                and job.tags.get(REPRODUCES) == wanted.job
                and _origin(theirs) == _origin(wanted)
            ):
                return run_metrics(self._client, job.name)
        return None


def _origin(lineage: Lineage) -> tuple[str, ...]:
    return (lineage.git_commit, lineage.data, lineage.environment)


def read_table(file: Path, reference: str) -> pd.DataFrame:
    """Read a data asset's file. Raises `CouldNotRun` when it is no CSV table."""
    try:
        return pd.read_csv(file)
    except (ValueError, OSError) as error:
        raise CouldNotRun(
            f"data {reference} is not a CSV table: {' '.join(str(error).split())}", remedy="train on a CSV file"
        ) from error


def rows_named(text: str) -> tuple[list[int], int]:
    """Return the rows that `held_out.json` names, and of how many. Raises `CouldNotRun` for anything else."""
    try:
        named = json.loads(text)
        rows, of = [int(row) for row in named["rows"]], int(named["of"])
    except (ValueError, KeyError, TypeError):
        rows, of = [], 0
    if not rows or not all(0 <= row < of for row in rows):
        raise CouldNotRun(
            f'{HELD_OUT} does not say which rows were set aside, as {{"rows": [3, 7], "of": 10}} does',
            remedy="correct what training logs, and train again",
        )
    return rows, of


def table_of(data: pd.DataFrame, rows: list[int], of: int, *, label: str, features: list[str]) -> Table:
    """Return the `rows` of `data` as features, in the order of the model's signature, and labels.

    Raises `CouldNotRun` when the rows were drawn from other data, or a column is not there.
    """
    if len(data) != of:
        raise CouldNotRun(
            f"{HELD_OUT} was drawn from {of} rows, and the data has {len(data)}",
            remedy="was the model trained on the data that its tags name? Train it again by mlgates",
        )
    missing = [name for name in (*features, label) if name not in data]
    if missing:
        raise CouldNotRun(f"the data has no column {', '.join(missing)}", remedy="name the label in gates.yml")
    drawn = data.iloc[rows]
    return Table(drawn[features].astype("float64"), drawn[label].to_numpy(dtype="int64"), drawn)


def _names(model: Model) -> list[str]:
    from mlgates.contract.model_folder import read_contract  # noqa: PLC0415

    return list(_available(lambda: read_contract(model.folder), "save the model with its signature").names)


def _available(fetch: Callable[[], T], remedy: str) -> T:
    try:
        return fetch()
    except MlgatesError as error:
        raise CouldNotRun(str(error), remedy=remedy) from error
