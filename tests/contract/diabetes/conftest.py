from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.diabetes.tracking_server import Recorded, tracking_to
from tests.unit.diabetes.conftest import cohort

__all__ = ["cohort", "tracking"]


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[Recorded]:
    """MLflow's tracking server for this test: it knows no more of the API than Azure ML's does."""
    with tracking_to(tmp_path / "artifacts") as recorded:
        yield recorded
