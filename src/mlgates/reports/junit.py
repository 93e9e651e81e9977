"""A gate's record as JUnit XML, which CI systems show as test results: a test case a check."""

from collections import Counter
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.reports.wording import clean, figure


def junit(record: GateRecord) -> str:
    """Return the record as one test suite.

    A check that failed is a failure, one that could not run is an error, and one that warned has passed with its
    warning in the output.
    """
    verdicts = Counter(result.verdict for result in record.results)
    counts = {
        "tests": str(len(record.results)),
        "failures": str(verdicts[Verdict.FAILED]),
        "errors": str(verdicts[Verdict.COULD_NOT_RUN]),
        "skipped": "0",
        "time": f"{record.seconds:.3f}",
    }
    root = Element("testsuites", {"name": "mlgates", **counts})
    suite = SubElement(
        root, "testsuite", {"name": clean(f"gate {record.gate}"), "timestamp": clean(record.started), **counts}
    )
    properties = SubElement(suite, "properties")
    for name, value in _properties(record).items():
        SubElement(properties, "property", {"name": name, "value": clean(value)})
    sharing = Counter(result.kind for result in record.results)
    for result in record.results:
        # The findings of one check share its time.
        suite.append(_case(record, result, result.seconds / sharing[result.kind]))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _properties(record: GateRecord) -> dict[str, str]:
    return {
        "environment": record.environment,
        "workspace": record.workspace,
        "commit": record.commit,
        "candidate": record.candidate.model if record.candidate else "none",
        "champion": record.champion.model if record.champion else "none",
    }


def _case(record: GateRecord, result: CheckResult, seconds: float) -> Element:
    case = Element(
        "testcase",
        {"classname": clean(f"gate.{record.gate}.{result.kind}"), "name": clean(result.name), "time": f"{seconds:.3f}"},
    )
    kinds = {Verdict.FAILED: "failure", Verdict.COULD_NOT_RUN: "error"}
    if result.verdict in kinds:
        attributes = {"message": clean(result.reason), "type": str(result.verdict)}
        SubElement(case, kinds[result.verdict], attributes).text = clean(_details(result))
    else:
        SubElement(case, "system-out").text = clean(result.summary)
    return case


def _details(result: CheckResult) -> str:
    lines = [result.reason]
    if result.limit:
        lines.append(f"figure {figure(result.figure, result.unit)}, limit {result.limit}")
    if result.remedy:
        lines.append(f"what to do: {result.remedy}")
    return "\n".join(lines)
