import webbrowser
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from mlgates.cli.app import app
from mlgates.config.project import Project
from mlgates.reports.report_files import write_gate, write_pipeline
from tests.unit.mlgates.reports.examples import DEV, PIPELINE, PROD

Command = Callable[..., Result]


@pytest.fixture
def mlgates(project: Project, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(project.root)
    return lambda *words: CliRunner().invoke(app, [*words])


def test_report_renders_the_record_that_is_named_and_says_where(mlgates: Command, project: Project) -> None:
    page = write_gate(PROD, project.reports)
    write_gate(DEV, project.reports)
    page.unlink()
    assert mlgates("report", "--gate", "prod").stdout == "reports/gates/prod.html\n"
    assert "Gate prod failed" in page.read_text()


def test_report_renders_a_pipeline(mlgates: Command, project: Project) -> None:
    write_pipeline(PIPELINE, project.reports)
    assert mlgates("report", "--pipeline", "prod").stdout == "reports/pipelines/prod.html\n"


def test_report_opens_the_page_in_the_browser(
    mlgates: Command, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def browser(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    page = write_gate(DEV, project.reports)
    assert mlgates("report", "--open").exit_code == 0
    assert opened == [page.as_uri()]


def test_without_a_browser_report_says_which_file_to_open(
    mlgates: Command, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    page = write_gate(DEV, project.reports)
    result = mlgates("report", "--open")
    assert (result.exit_code, f"open {page} yourself" in result.stderr) == (4, True)


def test_report_without_a_record_says_what_to_run_first(mlgates: Command) -> None:
    result = mlgates("report")
    assert (result.exit_code, "run 'mlgates gate'" in result.stderr) == (4, True)


def test_report_shows_one_record(mlgates: Command) -> None:
    assert mlgates("report", "--gate", "dev", "--pipeline", "dev").exit_code == 2
