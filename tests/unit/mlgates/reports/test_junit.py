from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

from hypothesis import given

from mlgates.core.gates import GateRecord, Verdict
from mlgates.reports.junit import junit
from mlgates.reports.wording import clean
from tests.unit.mlgates.reports.examples import PROD, check
from tests.unit.mlgates.reports.strategies import records


def suite(record: GateRecord) -> Element:
    (found,) = fromstring(junit(record)).iter("testsuite")
    return found


@given(records)
def test_every_record_is_xml_with_a_test_case_a_check(record: GateRecord) -> None:
    cases = list(suite(record).iter("testcase"))
    assert len(cases) == len(record.results)
    for case, result in zip(cases, record.results, strict=True):
        # An attribute's line breaks come back as blanks, as XML has it.
        assert case.attrib["name"].split() == clean(result.name).split()


@given(records)
def test_failures_and_errors_are_counted_as_they_stand(record: GateRecord) -> None:
    found = suite(record)
    for attribute, kind in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert int(found.attrib[attribute]) == len(list(found.iter(kind)))


@given(records)
def test_the_suite_is_broken_just_when_a_check_does_not_hold(record: GateRecord) -> None:
    found = suite(record)
    broken = int(found.attrib["failures"]) + int(found.attrib["errors"])
    assert broken == sum(not result.verdict.holds for result in record.results)


def test_a_failure_reports_reason_figure_and_what_to_do() -> None:
    (failure,) = suite(PROD).iter("failure")
    assert failure.attrib["message"].startswith("auc is 0.981 for Age")
    assert failure.text is not None
    assert "figure 0.135, limit at most 0.1" in failure.text
    assert "what to do: look at the rows" in failure.text


def test_a_check_that_could_not_run_is_an_error() -> None:
    (error,) = suite(PROD).iter("error")
    assert error.attrib["type"] == "could not run"


def test_the_findings_of_one_check_share_its_time() -> None:
    times = [float(case.attrib["time"]) for case in suite(PROD).iter("testcase")]
    assert times[:3] == [0.003, 0.003, 0.003]


def test_a_failure_without_limit_and_remedy_reports_its_reason_alone() -> None:
    record = replace(PROD, results=(check("signature", Verdict.FAILED, reason="a column has gone"),))
    (failure,) = suite(record).iter("failure")
    assert failure.text == "a column has gone"
