from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.diabetes import frames
from tests.unit.diabetes.tracking_server import Recorded, tracking_to


@pytest.fixture
def cohort() -> pd.DataFrame:
    return frames.cohort()


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[Recorded]:
    """MLflow's tracking server for this test: it knows no more of the API than Azure ML's does."""
    with tracking_to(tmp_path / "artifacts") as recorded:
        yield recorded
