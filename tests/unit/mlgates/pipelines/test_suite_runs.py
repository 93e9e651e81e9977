from pathlib import Path
from xml.etree import ElementTree

import pytest

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, SuiteFailed
from mlgates.core.events import Event, JobLogged
from mlgates.pipelines.suites import run_suite
from mlgates.reports.console import listen


class Recorder:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def tell(self, event: Event) -> None:
        assert isinstance(event, JobLogged)
        self.lines.append(event.line)


@pytest.fixture
def smoke(settings: Settings) -> Path:
    """The folder of a smoke suite of the test's project."""
    folder = settings.project.root / "tests" / "smoke"
    folder.mkdir(parents=True)
    (settings.project.root / "pytest.ini").write_text("[pytest]\n")
    return folder


def test_a_suite_that_passes_is_told_by_its_last_line(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(pytestconfig): assert pytestconfig.getoption('--env') == 'local'")
    heard = Recorder()
    assert listen(run_suite("smoke", settings), heard).summary.startswith("1 passed")
    assert any("1 passed" in line for line in heard.lines)


def test_a_suite_leaves_its_report_for_the_gate(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): pass")
    listen(run_suite("smoke", settings), Recorder())
    assert (settings.project.reports / "suites" / "smoke.json").is_file()


def test_a_suite_leaves_its_results_for_ci_when_it_fails_too(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): assert 1 == 2")
    with pytest.raises(SuiteFailed):
        listen(run_suite("smoke", settings), Recorder())
    results = ElementTree.parse(settings.project.reports / "junit" / "smoke.xml")
    assert [case.get("name") for case in results.iter("testcase")] == ["test_it"]


def test_a_suite_that_fails_is_told_with_its_last_lines(settings: Settings, smoke: Path) -> None:
    (smoke / "test_it.py").write_text("def test_it(): assert 1 == 2")
    with pytest.raises(SuiteFailed, match=r"the smoke suite failed:\n(?s:.)*assert 1 == 2"):
        listen(run_suite("smoke", settings), Recorder())


def test_a_project_without_the_suite_is_told_what_is_missing(settings: Settings) -> None:
    with pytest.raises(AssetMissing, match="tests/integration is not there"):
        listen(run_suite("integration", settings), Recorder())
