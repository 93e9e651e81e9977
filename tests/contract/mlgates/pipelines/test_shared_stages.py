from pathlib import Path
from xml.etree import ElementTree

import pytest

from mlgates.config.settings import Settings
from mlgates.core.errors import SuiteFailed
from mlgates.core.progress import Logged, Record, Silent
from mlgates.pipelines.shared_stages import run_suite


@pytest.fixture
def smoke(settings: Settings) -> Path:
    """The folder of a smoke suite of the test's project."""
    folder = settings.project.root / "tests" / "smoke"
    folder.mkdir(parents=True)
    (settings.project.root / "pytest.ini").write_text("[pytest]\n")
    return folder


def test_a_suite_that_passes_is_reported_by_its_last_line(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text(
        "def test_it(pytestconfig): assert pytestconfig.getoption('--mlgates-env') == 'local'"
    )
    record = Record()
    assert run_suite("smoke", settings, progress=record).summary.startswith("1 passed")
    assert any("1 passed" in fact.line for fact in record.of(Logged))


def test_a_suite_leaves_its_report_for_the_gate(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): pass")
    run_suite("smoke", settings, progress=Silent())
    assert (settings.project.reports / "suites" / "smoke.json").is_file()


def test_a_suite_leaves_its_results_for_ci_when_it_fails_too(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): assert 1 == 2")
    with pytest.raises(SuiteFailed):
        run_suite("smoke", settings, progress=Silent())
    results = ElementTree.parse(settings.project.reports / "junit" / "smoke.xml")
    assert [case.get("name") for case in results.iter("testcase")] == ["test_it"]


def test_a_suite_that_fails_is_reported_with_its_last_lines(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): assert 1 == 2")
    with pytest.raises(SuiteFailed, match=r"the smoke suite failed:\n(?s:.)*assert 1 == 2"):
        run_suite("smoke", settings, progress=Silent())
