"""Records as Markdown, and on the page of a CI run."""

import re
from pathlib import Path

import pytest
from hypothesis import given

from mlgates.core.gates import GateRecord
from mlgates.reports.markdown import escaped, gate_markdown, pipeline_markdown, show_on_run
from tests.unit.mlgates.reports.examples import DEV, PIPELINE, PROD, RELEASED
from tests.unit.mlgates.reports.strategies import records, texts


def test_the_decision_comes_first() -> None:
    assert gate_markdown(PROD).splitlines()[0] == "## ❌ Gate prod failed for diabetes-classifier:3"
    assert gate_markdown(DEV).splitlines()[0] == "## ✅ Gate dev passed for diabetes-classifier:3"


def test_what_fails_the_gate_comes_before_the_table_with_what_to_do() -> None:
    before = gate_markdown(PROD).partition("| check |")[0]
    assert before.index("fairness.Age") < before.index("supply\\_chain") < before.index("**calibration**")
    assert before.count("*What to do:*") == 3


@given(records)
def test_every_row_of_the_table_has_five_cells_whatever_the_names(record: GateRecord) -> None:
    rows = [line for line in gate_markdown(record).splitlines() if line.startswith("| ")]
    assert len(rows) == len(record.results) + 2
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


@given(texts)
def test_escaped_text_is_one_line_without_markup(text: str) -> None:
    shown = escaped(text)
    assert len(shown.splitlines()) <= 1
    assert not re.search(r"<|(?<!\\)(?:\\\\)*[`*\[|]", shown)


def test_a_pipeline_reports_its_stages_and_the_approval_that_it_waits_for() -> None:
    text = pipeline_markdown(PIPELINE)
    assert text.startswith("## ⏳ pipeline prod waiting at approval: waits for mlgates approve")
    assert [line.split("|")[2].strip() for line in text.splitlines() if line.startswith("| ")][2:7] == [
        "build",
        "train",
        "gate prod",
        "approval",
        "release",
    ]


def test_a_pipeline_that_came_to_its_end_reports_who_approved_and_what_serves() -> None:
    text = pipeline_markdown(RELEASED)
    assert "**diabetes-classifier:3 approved** by R. Meyer: better on every score" in text
    assert "diabetes-online-prod/green serves diabetes-classifier:3 with 100 % of the traffic" in text


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
