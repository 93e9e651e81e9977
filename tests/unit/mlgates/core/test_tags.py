"""Figures and verdicts come back from tags as they went in, and no other tag is taken for one."""

from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.values import gate_tags, metric_tags, metrics_of, record_of, verdict_of

NAMES = st.text(min_size=1)
OTHER = st.dictionaries(NAMES.filter(lambda name: not name.startswith(("metric.", "gate."))), st.text())


@given(st.dictionaries(NAMES, st.floats(allow_nan=False)), OTHER)
def test_metrics_keep_every_digit(metrics: dict[str, float], others: dict[str, str]) -> None:
    assert metrics_of({**others, **metric_tags(metrics)}) == metrics


@given(NAMES, st.booleans(), st.text(), OTHER)
def test_a_verdict_comes_back_with_its_record(gate: str, passed: bool, record: str, others: dict[str, str]) -> None:
    tags = {**others, **gate_tags(gate, passed=passed, record=record)}
    assert (verdict_of(tags, gate), record_of(tags, gate)) == (passed, record)


@given(NAMES, OTHER)
def test_a_gate_that_was_not_run_has_neither(gate: str, others: dict[str, str]) -> None:
    assert (verdict_of(others, gate), record_of(others, gate)) == (None, None)
