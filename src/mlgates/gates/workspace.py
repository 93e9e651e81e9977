"""Where a gate's evidence comes from when candidate and champion live in a workspace."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from mlgates.contract.signature import DataType, ModelContract
from mlgates.core.errors import MlgatesError
from mlgates.core.files import sha256_of_path
from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion
from mlgates.delivery.assets import download_table
from mlgates.delivery.jobs import REPRODUCES, jobs_of
from mlgates.delivery.mlflow_runs import download_artifact, run_metrics
from mlgates.delivery.models import download_model
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.held_out import HELD_OUT, HeldOut, read_held_out
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows, features_of, rows_of
from mlgates.evaluation.target import EvaluationConfig, find_target
from mlgates.tables import read_table

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

T = TypeVar("T")


class WorkspaceEvidence:
    """Fetches into `folder`, which is this gate's own."""

    def __init__(self, client: "MLClient", folder: Path, config: EvaluationConfig) -> None:
        self._client = client
        self._folder = folder
        self._config = config
        self._held_out: dict[str, HeldOut] = {}
        self._tables: dict[tuple[str, tuple[str, ...]], pd.DataFrame] = {}

    def model(self, version: AssetVersion) -> Model:
        """Return a model version with its files. Raises `MlgatesError`: without the files there is no gate."""
        files = download_model(self._client, version, self._folder / "models" / version.version)
        return Model(str(version), files, sha256=sha256_of_path(files), tags=version.tags)

    def training_set(self, model: Model) -> pd.DataFrame:
        """Return the table that `model` was trained on, by its lineage."""
        return self._table(Lineage.from_tags(model.tags).data, model)

    def held_out(self, model: Model) -> Rows:
        """Return the rows on which `model` was not trained, as its signature has them."""
        drawn, contract = self._drawn(model, typed_for=model), _contract(model)
        labels = self.training_set(model).get(self._config.label)
        target = find_target(self._config, labels, classifier=lambda: model.classifier)
        return rows_of(drawn, target, contract, self._config)

    def features(self, model: Model, candidate: Model) -> pd.DataFrame:
        """Return the candidate's held-out rows as the signature of another model has them."""
        drawn = self._drawn(candidate, typed_for=model)
        return features_of(drawn, _contract(model), {self._config.label, self._config.weights})

    def _drawn(self, model: Model, *, typed_for: Model) -> pd.DataFrame:
        """Return the rows that the training of `model` set aside, with every column."""
        lineage = Lineage.from_tags(model.tags)
        job = lineage.job
        if job not in self._held_out:
            remedy = f"log {HELD_OUT} in training: the rows set aside (docs/gates.md)"
            file = _available(lambda: download_artifact(self._client, job, HELD_OUT, self._folder / job), remedy)
            self._held_out[job] = read_held_out(file.read_text(encoding="utf-8"))
        named = self._held_out[job]
        return named.of_table(self._table(named.data or lineage.data, typed_for))

    def _table(self, reference: str, model: Model) -> pd.DataFrame:
        """Return a data asset as a table; columns that are texts for `model` stay as they are written."""
        texts = _texts(model)
        if (reference, texts) not in self._tables:
            folder = self._folder / "data" / reference.replace(":", "-")
            path = _available(lambda: download_table(self._client, reference, folder), "register the model by mlgates")
            try:
                self._tables[reference, texts] = read_table(path, texts)
            except MlgatesError as error:
                remedy = "train on a table: CSV, Parquet, JSON lines or MLTable"
                raise CouldNotRun(f"data {reference}: {error}", remedy=remedy) from error
        return self._tables[reference, texts]

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


def _contract(model: Model) -> ModelContract:
    from mlgates.contract.model_folder import read_contract  # noqa: PLC0415

    return _available(lambda: read_contract(model.folder), "save the model with its signature")


def _texts(model: Model) -> tuple[str, ...]:
    try:
        return tuple(each.name for each in _contract(model).columns if each.type is DataType.STRING)
    except CouldNotRun:
        return ()  # a check that wants the signature says so


def _available(fetch: Callable[[], T], remedy: str) -> T:
    try:
        return fetch()
    except MlgatesError as error:
        raise CouldNotRun(str(error), remedy=remedy) from error
