"""The models that the contract suite is about: the diabetes classifier, and the registered model's own predictions."""

from pathlib import Path

import pytest

from mlgates.contract.in_process import InProcess
from mlgates.contract.ranges import read_ranges
from mlgates.contract.reading import read_contract
from mlgates.contract.signature import Batch, ModelContract

ROOT = Path(__file__).resolve().parents[3]
SUITE = ROOT / "data" / "expectations" / "online-sample.json"


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained classifier as an MLflow model."""
    import pandas as pd  # noqa: PLC0415 - with scikit-learn and MLflow, only for those who train

    from diabetes import saving, training  # noqa: PLC0415
    from diabetes.dataset import stand_in  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("data") / "diabetes.csv"
    folder.write_bytes(stand_in.content())
    model = tmp_path_factory.mktemp("models") / "model"
    saving.save(training.train(pd.read_csv(folder), training.Settings()).model, model)
    return model


@pytest.fixture(scope="session")
def contract(model_folder: Path) -> ModelContract:
    return read_contract(model_folder, read_ranges([SUITE]))


@pytest.fixture(scope="session")
def model(model_folder: Path, contract: ModelContract) -> InProcess:
    """The registered model, predicting in this process."""
    return InProcess(model_folder, contract)


@pytest.fixture(scope="session")
def scorer(model: InProcess) -> InProcess:
    """What is under test; a live endpoint's scorer takes this place."""
    return model


@pytest.fixture(scope="session")
def sample(contract: ModelContract) -> Batch:
    """The input example, as a batch."""
    return Batch(contract.names, contract.example)
