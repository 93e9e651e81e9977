from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.gates import GateRecord, Verdict
from mlgates.reports.wording import NONE, clean, duration, figure, moment, pipeline_headline, signed, tally, worst_first
from tests.unit.mlgates.reports.examples import PIPELINE, PROD, RELEASED, check, floor
from tests.unit.mlgates.reports.strategies import records


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(0.87654, "", "0.8765"), (12345.0, "tests", "12345 tests"), (96.25, "%", "96.25 %"), (float("inf"), "", "inf")],
)
def test_a_figure_has_four_digits_that_count_and_its_unit(value: float, unit: str, shown: str) -> None:
    assert figure(value, unit) == shown


@pytest.mark.parametrize("value", [None, float("nan")])
def test_no_figure_is_a_dash(value: float | None) -> None:
    assert (figure(value, "ms"), signed(value, "ms")) == (NONE, NONE)


def test_a_margin_always_has_a_sign() -> None:
    assert [signed(value) for value in (0.5, 0.0, -0.5)] == ["+0.5", "+0", "-0.5"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_a_duration_reads_as_a_person_says_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_moment_is_shown_in_its_zone_and_what_is_none_as_it_is() -> None:
    assert moment("2026-03-02T09:31:07+00:00") == "2026-03-02 09:31 UTC"
    assert moment("2026-03-02T09:31:07+09:00") == "2026-03-02 09:31 +0900"
    assert moment("yesterday") == "yesterday"


@given(st.text(st.characters(codec="utf-8")))
def test_cleaned_text_keeps_its_length_and_holds_no_control_character(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert not any(character < " " and character not in "\t\n\r" for character in cleaned)


@given(records)
def test_what_did_not_pass_comes_worst_first(record: GateRecord) -> None:
    verdicts = [result.verdict for result in worst_first(record)]
    assert verdicts == sorted(verdicts, key=lambda verdict: verdict is Verdict.WARNED)
    assert len(verdicts) == sum(result.verdict is not Verdict.PASSED for result in record.results)


def test_the_tally_counts_what_does_not_hold() -> None:
    assert tally(PROD) == "2 of 15 checks do not hold; 1 more only warns."


def test_the_margin_of_a_figure_is_its_distance_to_the_nearest_limit() -> None:
    assert floor("metrics.auc", 0.75, 0.5).margin == 0.25
    assert check("x", figure=3.0, least=1.0, most=4.0).margin == 1.0
    assert check("x", figure=5.0, most=4.0).margin == -1.0
    assert check("x", figure=5.0).margin is None
    assert check("x", least=5.0).margin is None


def test_the_margin_is_that_of_the_whole_interval_where_a_figure_has_one() -> None:
    assert check("x", figure=0.25, least=-0.25, evidence={"low": -0.5, "high": 1.0}).margin == -0.25
    assert check("x", figure=0.25, most=0.5, evidence={"low": -0.5, "high": 1.0}).margin == -0.5
    assert check("x", figure=0.25, most=0.5, evidence={"low": "little", "high": 1.0}).margin == 0.25


def test_a_pipelines_headline_says_where_it_stands() -> None:
    assert pipeline_headline(PIPELINE) == "Pipeline prod waits at approval"
    assert pipeline_headline(RELEASED) == "Pipeline prod passed"
    assert pipeline_headline(replace(RELEASED, stages=())) == "Pipeline prod did nothing"
    failed = replace(RELEASED, gates=(PROD,))
    assert pipeline_headline(failed) == "Pipeline prod failed: gate prod failed for diabetes-classifier:3"
