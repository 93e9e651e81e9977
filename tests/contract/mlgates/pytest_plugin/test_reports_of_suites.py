"""What the plugin leaves for the gates, read back as the gates read it."""

from pathlib import Path

import pytest

from mlgates.gates.evidence import SuiteRun
from mlgates.gates.suite_reports import read_suites
from tests.contract.mlgates.git_folder import committed

pytest_plugins = ("pytester",)

SOURCE = """
import pytest
def test_good(): pass
def test_bad(): assert False
def test_bad_afterwards(broken): pass
@pytest.mark.skip(reason="not here")
def test_skipped(): pass
@pytest.fixture
def broken():
    raise ValueError("no")
"""
PASSING = "def test_it(): pass"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with the layers unit and data, at commit abc with changes."""
    monkeypatch.setenv("CI", "false")
    monkeypatch.setenv("AZUREML_GIT_COMMIT", "abc")
    monkeypatch.setenv("AZUREML_GIT_DIRTY", "true")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (pytester.mkdir("mlops") / "config-mlops.yml").touch()
    pytester.makeini("[pytest]\naddopts = -p mlgates.pytest_plugin\n")
    for layer, source in (("unit", SOURCE), ("data", PASSING)):
        folder = pytester.path / "tests" / layer
        folder.mkdir(parents=True)
        (folder / f"test_{layer}.py").write_text(source)
    return pytester


def reports(project: pytest.Pytester, *words: str, inside: bool = True) -> dict[str, SuiteRun]:
    run = project.runpytest_inprocess if inside else project.runpytest_subprocess
    run("--mlgates-suite-reports", "reports/suites", *words)
    return {each.layer: each for each in read_suites(project.path / "reports")}


def test_each_layer_that_ran_reports_its_counts_its_commit_and_whether_that_is_all(project: pytest.Pytester) -> None:
    assert reports(project, "tests") == {
        "unit": SuiteRun("unit", passed=1, failed=2, skipped=1, commit="abc", dirty=True),
        "data": SuiteRun("data", passed=1, failed=0, skipped=0, commit="abc", dirty=True),
    }


def test_a_layer_that_did_not_run_reports_nothing(project: pytest.Pytester) -> None:
    assert list(reports(project, "tests/data")) == ["data"]


def test_the_tests_of_all_workers_are_counted_once(project: pytest.Pytester) -> None:
    found = reports(project, "-p", "xdist.plugin", "-n", "2", "tests", inside=False)
    assert (found["unit"].passed, found["unit"].failed, found["data"].passed) == (1, 2, 1)


def test_a_file_that_cannot_be_collected_is_a_failure(project: pytest.Pytester) -> None:
    (project.path / "tests" / "unit" / "test_unit.py").write_text("def test_it(: syntax error")
    assert reports(project, "tests")["unit"].failed == 1


def test_a_run_that_is_broken_off_takes_the_old_report_along(project: pytest.Pytester) -> None:
    assert reports(project, "tests/data")
    file = project.path / "tests" / "data" / "test_data.py"
    file.write_text(f"import pytest\n{PASSING}\ndef test_stop(): pytest.exit('enough')")
    assert reports(project, "tests/data") == {}


def test_where_no_commit_is_known_the_tests_run_and_the_report_says_why(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZUREML_GIT_COMMIT")
    committed(project.path)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    result = project.runpytest_inprocess("--mlgates-suite-reports", "reports/suites", "tests/data")
    result.stdout.fnmatch_lines("suite reports: of no known commit: *detected dubious ownership*")
    (found,) = read_suites(project.path / "reports")
    assert (found.passed, found.commit, "dubious ownership" in found.reason) == (1, "unknown", True)


def test_without_the_option_nothing_is_left(project: pytest.Pytester) -> None:
    project.runpytest_inprocess("tests/data")
    assert not Path(project.path, "reports").exists()
