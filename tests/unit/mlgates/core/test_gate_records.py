import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.values import ModelArtifact

text = st.text(max_size=20)
tags = st.dictionaries(text, text, max_size=3)
names = st.builds("{}:{}".format, text.filter(lambda name: ":" not in name), text)
subjects = st.builds(ModelArtifact.of, names, text, tags)
figures = st.none() | st.floats(allow_nan=False, allow_infinity=False)
results = st.builds(
    CheckResult,
    name=text,
    verdict=st.sampled_from(Verdict),
    reason=text,
    figure=figures,
    limit=text,
    least=figures,
    most=figures,
    unit=text,
    remedy=text,
    evidence=st.dictionaries(text, figures | text, max_size=3),
    seconds=st.floats(0, 100),
)
records = st.builds(
    GateRecord,
    gate=text,
    environment=text,
    workspace=text,
    candidate=st.none() | subjects,
    champion=st.none() | subjects,
    results=st.lists(results, max_size=4).map(tuple),
    started=text,
    seconds=st.floats(0, 100),
    commit=text,
    build=st.none() | text,
)


@given(records)
def test_a_record_comes_back_from_json_as_it_was(record: GateRecord) -> None:
    assert GateRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


@given(records)
def test_the_checksum_is_that_of_the_content(record: GateRecord) -> None:
    again = GateRecord.from_dict(json.loads(json.dumps(record.to_dict())))
    assert again.sha256 == record.sha256
    assert replace(record, commit=record.commit + "x").sha256 != record.sha256


@given(records)
def test_a_gate_passes_when_every_check_holds_and_there_is_one(record: GateRecord) -> None:
    verdicts = {result.verdict for result in record.results}
    assert record.passed == (bool(verdicts) and verdicts <= {Verdict.PASSED, Verdict.WARNED})
    assert not replace(record, commit="unknown").passed


@given(records)
def test_the_summary_names_each_check_for_which_the_gate_fails(record: GateRecord) -> None:
    shut = [result.name for result in record.results if not result.verdict.holds]
    assert all(name in record.summary for name in shut)
    assert record.passed == record.summary.endswith(" passed")


@given(st.floats(-10, 10), figures, figures)
def test_the_margin_is_negative_beyond_a_limit_alone(figure: float, least: float | None, most: float | None) -> None:
    result = CheckResult(name="x", verdict=Verdict.PASSED, reason="", figure=figure, least=least, most=most)
    within = (least is None or figure >= least) and (most is None or figure <= most)
    if least is None and most is None:
        assert result.margin is None
    else:
        assert result.margin is not None
        assert (math.copysign(1, result.margin) > 0 or result.margin == 0) == within


def test_without_a_figure_there_is_no_margin() -> None:
    assert CheckResult(name="x", verdict=Verdict.PASSED, reason="", most=1.0).margin is None


@pytest.mark.parametrize(("name", "kind"), [("metrics.auc", "metrics"), ("size", "size")])
def test_the_kind_of_a_check_comes_first_in_its_name(name: str, kind: str) -> None:
    assert CheckResult(name=name, verdict=Verdict.PASSED, reason="").kind == kind
