"""How `--dist each` shares out the unit tests."""

import sys

import pytest

from tests.unit.conftest import HEAVY, UNIT, WITH_THE_SDK, imports, parts


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_every_file_is_run_by_one_worker(workers: int) -> None:
    shared = [file for part in parts(workers) for file in part]
    assert sorted(shared) == sorted(UNIT.rglob("test_*.py"))
    assert all(parts(workers))


@pytest.mark.parametrize("folder", HEAVY)
def test_what_is_heavy_is_there(folder: str) -> None:
    assert list((UNIT / folder).rglob("test_*.py"))


def test_the_first_of_two_workers_has_no_need_of_the_sdk(pytestconfig: pytest.Config) -> None:
    assert max(map(imports, parts(2)[0])) < WITH_THE_SDK
    worker: dict[str, object] = getattr(pytestconfig, "workerinput", {})
    if "shares" not in worker or worker["workercount"] != 2:
        pytest.skip("needs two workers with a part each: nox -s unit")
    assert worker["workerid"] == "gw0"
    assert {"azure.ai.ml", "great_expectations"} & sys.modules.keys() == set()
