"""The models that the contract suite is about, and the scorers that it asks: see `targets.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlgates.contract.model_folder import read_contract, read_ranges
from mlgates.contract.pyfunc_scorer import PyfuncScorer
from mlgates.contract.signature import Batch, ModelContract
from mlgates.endpoint_client import Scorer
from tests.contract.mlgates.live import Live, live_endpoint
from tests.contract.mlgates.local_endpoint import LocalEndpoint, local_endpoint
from tests.contract.mlgates.targets import IN_PROCESS, LOCAL

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlgates.delivery.operations import LiveOnlineEndpoint

ROOT = Path(__file__).resolve().parents[3]
SUITE = ROOT / "data" / "expectations" / "online-sample.json"
CLASSIFIER = "diabetes"


@pytest.fixture(scope="session")
def model_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained classifier as an MLflow model; with `--env`, the registered one that the environment serves."""
    if request.config.getoption("--mlgates-env") is not None:
        live: Live = request.getfixturevalue("live")
        return live.model
    return train_model(tmp_path_factory.mktemp("models"))


def train_model(into: Path) -> Path:
    """Train the example's classifier on the stand-in, and return its folder."""
    import pandas as pd  # noqa: PLC0415 - with scikit-learn and MLflow, only for those who train

    from diabetes import saving, training  # noqa: PLC0415
    from diabetes_dataset import stand_in  # noqa: PLC0415

    (into / "diabetes.csv").write_bytes(stand_in.content())
    saving.save(training.train(pd.read_csv(into / "diabetes.csv"), training.Settings()).model, into / "model")
    return into / "model"


@pytest.fixture(scope="session")
def live(
    mlgates_delivered: "MLClient",
    mlgates_online_endpoint: "LiveOnlineEndpoint",
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    """The environment's online endpoint."""
    with live_endpoint(mlgates_delivered, mlgates_online_endpoint, tmp_path_factory.mktemp("registered")) as live:
        yield live


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEndpoint]:
    """An endpoint in a local workspace of this run's own, without deployments."""
    with local_endpoint(tmp_path_factory.mktemp("amlocal")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def local_classifier(local: LocalEndpoint, model_folder: Path) -> Scorer:
    """The classifier, deployed."""
    local.deploy({CLASSIFIER: model_folder})
    return local.scorer(CLASSIFIER)


@pytest.fixture(scope="session")
def contract(model_folder: Path) -> ModelContract:
    return read_contract(model_folder, read_ranges([SUITE]))


@pytest.fixture(scope="session")
def model(model_folder: Path, contract: ModelContract) -> PyfuncScorer:
    """The registered model, predicting in this process."""
    return PyfuncScorer(model_folder, contract)


@pytest.fixture(scope="session")
def scorer(request: pytest.FixtureRequest) -> Scorer:
    """What is under test, by the name in `request.param`: one of `targets`."""
    fixture = {IN_PROCESS: "model", LOCAL: "local_classifier"}.get(request.param)
    scorer: Scorer = request.getfixturevalue(fixture) if fixture else request.getfixturevalue("live").scorer
    return scorer


@pytest.fixture(scope="session")
def sample(contract: ModelContract) -> Batch:
    """The input example, as a batch."""
    return Batch(contract.names, contract.example)
