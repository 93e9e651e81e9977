"""The same rows get the same predictions by a batch job as by the online endpoint."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from amlocal.testing import use
from mlgates.contract import properties
from mlgates.contract.scoring_requests import Format, encode
from mlgates.contract.signature import Batch, ModelContract, same
from mlgates.contract.strategies import batches
from mlgates.core.progress import Silent
from mlgates.endpoint_client import Json, Scorer
from tests.contract.mlgates.conftest import CLASSIFIER
from tests.contract.mlgates.generating import generated
from tests.contract.mlgates.local_endpoint import LocalEndpoint

pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")

ENDPOINT = "contract-batch"


def test_batch_and_online_predict_the_same_for_generated_rows(
    contract: ModelContract, local: LocalEndpoint, local_classifier: Scorer, tmp_path: Path
) -> None:
    asked = generated(batches(contract, whole=True))  # for one job: a job an example would take hours
    online = [
        prediction
        for batch in asked
        for prediction in properties.answers(contract, local_classifier, batch, encode(batch, Format.SPLIT))
    ]
    write(tmp_path / "rows.csv", contract.names, asked)
    with use(local.workspace):
        deploy_batch(local)
        by_batch = score(local, tmp_path / "rows.csv", tmp_path / "scored")
    assert len(by_batch) == len(online)
    unlike = [row for row, pair in enumerate(zip(by_batch, online, strict=True)) if not same(*pair)]
    assert unlike == []


def write(file: Path, names: Sequence[str], asked: Sequence[Batch]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(names)
        rows.writerows(row for batch in asked for row in batch.rows)


def deploy_batch(local: LocalEndpoint) -> None:
    """Deploy the classifier, which is registered, to a batch endpoint as its default."""
    from azure.ai.ml import entities  # noqa: PLC0415 - takes seconds

    endpoint = entities.BatchEndpoint(name=ENDPOINT)
    deployment = entities.ModelBatchDeployment(
        name=CLASSIFIER,
        endpoint_name=ENDPOINT,
        model=f"azureml:{CLASSIFIER}:1",
        compute="azureml:cpu-cluster",
        settings=entities.ModelBatchDeploymentSettings(mini_batch_size=1),
    )
    local.client.batch_endpoints.begin_create_or_update(endpoint).result()
    local.client.batch_deployments.begin_create_or_update(deployment).result()
    endpoint = local.client.batch_endpoints.get(ENDPOINT)
    endpoint.defaults.deployment_name = CLASSIFIER
    local.client.batch_endpoints.begin_create_or_update(endpoint).result()


def score(local: LocalEndpoint, file: Path, into: Path) -> list[Json]:
    """Return the predictions of a batch job for the rows of a file, in their order."""
    from mlgates.delivery.batch import download_predictions, invoke_batch  # noqa: PLC0415 - takes seconds

    job = invoke_batch(local.client, ENDPOINT, str(file), "uri_file", poll_s=0.25, progress=Silent())
    (written,) = download_predictions(local.client, job.name, into)
    with written.open(encoding="utf-8", newline="") as stream:
        scored = list(csv.reader(stream))
    assert [int(row) for row, _, _ in scored] == list(range(len(scored)))
    return [float(prediction) for _, prediction, _ in scored]
