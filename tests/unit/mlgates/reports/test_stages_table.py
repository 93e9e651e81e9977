import io
from dataclasses import replace

from rich.console import Console

from mlgates.core.pipelines import PipelineRecord, Stage, StageState
from mlgates.reports.tables import stages_table

RECORD = PipelineRecord(
    pipeline="prod", environment="prod", workspace="w", commit="c0ffee", seconds=12.3,
    started="2026-01-01T00:00:00+00:00",
    stages=(
        Stage(name="train", state=StageState.PASSED, started="2026-01-01T00:00:00+00:00", seconds=9.25, remark="[j1]"),
        Stage(name="approval", state=StageState.WAITING, started="2026-01-01T00:00:09+00:00", remark="for Ann"),
        Stage(name="release", state=StageState.SKIPPED, remark="not reached: approval waiting"),
    ),
)  # fmt: skip


def shown(record: PipelineRecord) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=80).print(stages_table(record))
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def test_each_stage_is_a_line_with_state_time_and_result() -> None:
    assert "train passed 9.2 [j1]" in shown(RECORD)
    assert "approval waiting 0.0 for Ann" in shown(RECORD)


def test_a_stage_that_did_not_begin_has_no_time() -> None:
    assert "release skipped not reached: approval waiting" in shown(RECORD)


def test_the_last_line_is_the_time_of_all() -> None:
    assert [line for line in shown(RECORD) if line][-1] == "all 12.3"


def test_a_pipeline_without_stages_has_its_time_only() -> None:
    assert [line for line in shown(replace(RECORD, stages=())) if line][-1] == "all 12.3"
