"""Faults planted in a workspace of the run's own, and the suites run over them: which tests notice?"""

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

# This backport, which MLflow's relatives bring along, takes the place of the standard library's finder of installed
# packages when it is imported. Imported within an inner run, it would go with that run, and nothing be found any more.
if importlib.util.find_spec("importlib_metadata"):
    importlib.import_module("importlib_metadata")
# What an inner run imports goes with it, and pydantic's models cannot be made a second time from half of its modules.
importlib.import_module("mlgates.suites.endpoint_suites")

pytest_plugins = ("pytester",)


class RunSuite(Protocol):
    def __call__(self, suite: str, *, plugins: Sequence[object] = ()) -> Sequence[pytest.TestReport]:
        """Run a suite against the workspace as it is now; return what its tests came to."""
        ...


@pytest.fixture
def run_suite(
    pytester: pytest.Pytester,
    pytestconfig: pytest.Config,
    mlgates_own_workspace: bool,
    mlgates_local_root: Path,
    mlgates_delivered: object,
) -> RunSuite:
    if not mlgates_own_workspace:
        pytest.skip("plants faults: only in a workspace of this run's own (without --env)")
    root = pytestconfig.rootpath
    # In this process, which has imported all that takes seconds; what it would do to this process is left out.
    options: list[str | Path] = ["-c", root / "pyproject.toml", "--rootdir", root, "-p", "no:cacheprovider"]
    options += ["-p", "no:faulthandler", "--mlgates-env", "local", "--mlgates-local-root", mlgates_local_root]

    def run(suite: str, *, plugins: Sequence[object] = ()) -> Sequence[pytest.TestReport]:
        recorder = pytester.inline_run(*options, root / "tests" / suite, plugins=list(plugins))
        reports = recorder.getreports("pytest_runtest_logreport")
        return [report for report in reports if report.when == "call" or report.failed]

    return run


def failed(reports: Sequence[pytest.TestReport]) -> set[str]:
    """The tests that failed, by file and name."""
    return {report.nodeid.removeprefix("tests/") for report in reports if report.failed}
