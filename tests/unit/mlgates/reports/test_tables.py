"""What a workspace has, each check of a gate and each stage of a pipeline, as tables."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from mlgates.core.gates import GateRecord
from mlgates.core.lineage import Lineage
from mlgates.core.pipelines import PipelineRecord, StageRecord, StageState
from mlgates.core.values import AssetVersion, Inventory, Job
from mlgates.reports.tables import checks_table, inventory_tables, stages_table, where_to_look
from tests.unit.mlgates.reports.examples import PROD

LINEAGE = Lineage("job-7", "c0ffee" * 7, "True", "patients:3", "ab" * 32, "stand-in", "env:2", {"accuracy": 0.78894})
EMPTY = Inventory((), (), (), ())
FULL = Inventory(
    environments=(AssetVersion("env", "2", created=False, tags={"content_sha256": "cd" * 32, "framework": "x"}),),
    data=(AssetVersion("patients", "3", created=False, tags={"sha256": "ab" * 32, "origin": "[stand-in]"}),),
    jobs=(
        Job("job-7", "exp", "Completed", "https://look", "https://mlflow", {"data": "patients:3"}),
        Job("job-6", "exp", "Failed"),
    ),
    models=(AssetVersion("classifier", "1", created=False, tags=LINEAGE.to_tags()),),
)


def shown_inventory(inventory: Inventory, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(inventory_tables(inventory))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_empty_workspace_says_none_of_each_kind() -> None:
    assert shown_inventory(EMPTY).count("none yet") == 4


def test_the_newest_job_and_its_mlflow_are_where_to_look() -> None:
    assert list(where_to_look(FULL)) == ["newest job  https://look", "MLflow      https://mlflow"]


@pytest.mark.parametrize("jobs", [(), (Job("j", "e", "Running"),)])
def test_without_a_page_there_is_nowhere_to_look(jobs: tuple[Job, ...]) -> None:
    assert list(where_to_look(replace(EMPTY, jobs=jobs))) == []


def test_assets_are_shown_with_a_comparable_checksum_and_their_tags() -> None:
    text = shown_inventory(FULL)
    assert "env:2" in text
    assert "cdcdcdcdcdcd " in text
    assert "origin=[stand-in]" in text


def test_jobs_are_shown_with_their_state() -> None:
    (line,) = [line for line in shown_inventory(FULL).splitlines() if line.startswith("job-6")]
    assert "Failed" in line


def test_a_model_is_shown_with_its_lineage() -> None:
    text = shown_inventory(FULL)
    facts = "job job-7", "commit c0ffeec0ffee and local changes", "data patients:3, origin stand-in", "accuracy 0.7889"
    assert [fact for fact in facts if fact not in text] == []


def test_names_stay_whole_on_a_narrow_terminal() -> None:
    assert "classifier:1" in shown_inventory(FULL, width=40)


def shown_checks(record: GateRecord, width: int = 80) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(checks_table(record))
    return stream.getvalue().splitlines()


def test_every_check_has_verdict_figure_and_limit_on_a_line() -> None:
    (line,) = [line for line in shown_checks(PROD) if line.startswith("metrics.auc")]
    assert line.split() == ["metrics.auc", "✓", "passed", "0.9816", "at", "least", "0.82"]


def test_a_verdict_is_reported_without_colour() -> None:
    text = "\n".join(shown_checks(PROD))
    assert [mark in text for mark in ("✗ failed", "! warned", "? could not run")] == [True] * 3


def test_the_table_fits_a_ci_log_of_80_columns() -> None:
    assert max(map(len, shown_checks(PROD))) <= 80


PIPELINE = PipelineRecord(
    pipeline="prod", environment="prod", workspace="w", commit="c0ffee", seconds=12.3,
    started="2026-01-01T00:00:00+00:00",
    stages=(
        StageRecord(
            name="train", state=StageState.PASSED, started="2026-01-01T00:00:00+00:00", seconds=9.25, remark="[j1]"
        ),
        StageRecord(name="approval", state=StageState.WAITING, started="2026-01-01T00:00:09+00:00", remark="for Ann"),
        StageRecord(name="release", state=StageState.SKIPPED, remark="not reached: approval waiting"),
    ),
)  # fmt: skip


def shown_stages(record: PipelineRecord) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=80).print(stages_table(record))
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def test_each_stage_is_a_line_with_state_time_and_result() -> None:
    assert "train passed 9.2 [j1]" in shown_stages(PIPELINE)
    assert "approval waiting 0.0 for Ann" in shown_stages(PIPELINE)


def test_a_stage_that_did_not_begin_has_no_time() -> None:
    assert "release skipped not reached: approval waiting" in shown_stages(PIPELINE)


def test_the_last_line_is_the_time_of_all() -> None:
    assert [line for line in shown_stages(PIPELINE) if line][-1] == "all 12.3"


def test_a_pipeline_without_stages_has_its_time_only() -> None:
    assert [line for line in shown_stages(replace(PIPELINE, stages=())) if line][-1] == "all 12.3"
