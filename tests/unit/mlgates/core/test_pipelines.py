import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.pipelines import PipelineRecord, StageRecord, StageState
from tests.unit.mlgates.reports.examples import PIPELINE, PROD, RELEASED

stages = st.lists(st.builds(StageRecord, name=st.text(min_size=1), state=st.sampled_from(StageState)), max_size=4).map(
    tuple
)


@given(stages)
def test_a_record_comes_back_from_json_as_it_was(stages: tuple[StageRecord, ...]) -> None:
    record = replace(RELEASED, stages=stages)
    assert PipelineRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


@given(stages)
def test_a_pipeline_has_passed_only_when_no_stage_failed_or_waits(stages: tuple[StageRecord, ...]) -> None:
    states = {stage.state for stage in stages}
    assert replace(RELEASED, stages=stages).passed == (
        StageState.PASSED in states and not states & {StageState.FAILED, StageState.WAITING}
    )


def test_a_gate_that_failed_is_a_pipeline_that_failed() -> None:
    record = replace(RELEASED, gates=(PROD,))
    assert not record.passed
    assert record.summary.startswith("pipeline prod failed: gate prod for diabetes-classifier:3 failed")


def test_the_summary_names_the_stage_that_it_stopped_at() -> None:
    waits = "pipeline prod waiting at approval: waits for mlgates approve diabetes-classifier:3"
    assert (PIPELINE.summary, RELEASED.summary) == (waits, "pipeline prod passed")
