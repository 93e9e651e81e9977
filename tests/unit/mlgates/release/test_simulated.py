"""Some of the canaries that `nox -s bench -- canaries` simulates by the ten thousand; the seeds stay the same."""

import pytest

from mlgates.release.canary import CanaryState
from tests.unit.mlgates.release.simulated import KINDS, ends

COUNT = 60


def test_clean_canaries_come_through() -> None:
    assert ends("clean", COUNT)[CanaryState.KEPT] >= COUNT - 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "clean"])
def test_bad_canaries_do_not(kind: str) -> None:
    assert ends(kind, COUNT // 3)[CanaryState.KEPT] == 0
