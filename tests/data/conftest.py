"""The data that the suites are held against: what is in the project, the stand-in, and the published data set."""

import os
from pathlib import Path

import pandas as pd
import pytest

from diabetes.schema import FEATURES
from diabetes_dataset import stand_in
from mlgates import read_csv, read_request

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
SUITES = DATA / "expectations"


@pytest.fixture(scope="session")
def stand_in_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stand-in") / "diabetes.csv"
    path.write_bytes(stand_in.content())
    return path


@pytest.fixture(scope="session")
def reference_path() -> Path:
    """The published data set, from DIABETES_REFERENCE_DATA or a folder `shared` next to the project."""
    path = Path(os.environ.get("DIABETES_REFERENCE_DATA", ROOT.parent / "shared" / "data" / "diabetes.csv"))
    if not path.is_file():
        pytest.skip(f"needs the published data set, not here: {path} (name it in DIABETES_REFERENCE_DATA)")
    return path


@pytest.fixture(scope="session")
def present_path() -> Path:
    """The training set in the project."""
    path = DATA / "diabetes.csv"
    if not path.is_file():
        pytest.skip("needs data/diabetes.csv, not here: python -m diabetes_dataset puts it there")
    return path


@pytest.fixture(scope="session")
def stand_in_table(stand_in_path: Path) -> pd.DataFrame:
    return read_csv(stand_in_path)


@pytest.fixture(scope="session")
def batch_sample() -> pd.DataFrame:
    return read_csv(DATA / "batch-diabetes.csv")


@pytest.fixture(scope="session")
def online_sample() -> pd.DataFrame:
    return read_request(DATA / "online-diabetes.json", FEATURES)
