"""What CI shows on the page of a run."""

from pathlib import Path

import pytest

from mlgates.reports.run_summary import show_on_run


@pytest.fixture
def markdown(tmp_path: Path) -> Path:
    file = tmp_path / "prod.md"
    file.write_text("# Gate prod: passed\n", "utf-8")
    return file


def test_github_gets_it_after_what_the_job_has_said_before(tmp_path: Path, markdown: Path) -> None:
    page = tmp_path / "summary"
    page.write_text("before\n", "utf-8")
    show_on_run(markdown, {"GITHUB_STEP_SUMMARY": str(page)}, print)
    assert page.read_text("utf-8") == "before\n# Gate prod: passed\n\n"


def test_azure_devops_is_told_the_file(markdown: Path) -> None:
    said: list[str] = []
    show_on_run(markdown, {"TF_BUILD": "True"}, said.append)
    assert said == [f"##vso[task.uploadsummary]{markdown}"]


def test_outside_of_ci_nothing_is_said(markdown: Path) -> None:
    said: list[str] = []
    show_on_run(markdown, {}, said.append)
    assert said == []
