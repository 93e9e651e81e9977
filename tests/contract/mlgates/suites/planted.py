"""How the suites are run over a project in which something is planted."""

import sys
import warnings
from collections.abc import Iterator
from importlib import import_module

import pytest

HEAVY = (
    "mlflow.pyfunc",
    "mlflow.sklearn",
    "mlgates.delivery.snapshot",
    "mlgates.evaluation.replay",
    "mlgates.expectations.validation",
    "mlgates.suites.contract_suites",
    "mlgates.suites.data_suites",
    "mlgates.suites.property_names",
    "skops.io",
    "tests.contract.mlgates.suites.shop.train",
    "threadpoolctl",
)


@pytest.fixture(scope="session")
def loaded() -> None:
    """What takes seconds, and what cannot be imported again by a run within this one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in HEAVY:
            import_module(name)


@pytest.fixture
def project(loaded: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.Pytester]:
    """A folder for the project, whose modules are forgotten afterwards."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the other plugins take longer than the tests
    monkeypatch.setenv("CI", "true")  # the same tables each time
    pytester.makeini("[pytest]\naddopts = --strict-markers -p mlgates.pytest_plugin\npythonpath = src .\n")
    yield pytester
    for name in [each for each in sys.modules if each.partition(".")[0] in {"shop", "elsewhere"}]:
        del sys.modules[name]


def run(project: pytest.Pytester, tests: str, chosen: str = "") -> pytest.RunResult:
    """Run the tests of a file, those whose names have `chosen` in them."""
    return project.runpytest_inprocess(tests, "-q", "-rfEs", "-k", chosen)


def failed(result: pytest.RunResult) -> set[str]:
    """Return the properties that did not hold."""
    lines = [line for line in result.outlines if line.startswith(("FAILED", "ERROR"))]
    return {line.split("::test_")[1].split(" - ")[0].split("[")[0] for line in lines}
