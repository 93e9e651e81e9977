import pandas as pd
import pytest

from tests.unit.diabetes import frames


@pytest.fixture
def cohort() -> pd.DataFrame:
    return frames.cohort()
