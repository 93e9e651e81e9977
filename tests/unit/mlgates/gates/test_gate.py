"""How a gate judges: every check runs, and each ends in one of four ways."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.core.progress import Silent
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates import gate as module
from mlgates.gates.check_types import CheckType
from mlgates.gates.declaration import CheckConfig, Gate
from mlgates.gates.evidence import Evidence
from mlgates.gates.gate import judge, run
from tests.unit.mlgates.gates.fakes import evidence

Check = Callable[[Any, Evidence], Iterator[CheckResult]]


class Nothing(Strict):
    """No settings."""


def finds(*held: bool) -> Check:
    def check(_: Any, __: Evidence) -> Iterator[CheckResult]:
        for number, holds in enumerate(held):
            yield CheckResult(
                name=f"part{number}", verdict=Verdict.passed_if(holds), reason="looked at", remedy="mend it"
            )

    return check


def stops(error: Exception, *held: bool) -> Check:
    def check(declared: Any, found: Evidence) -> Iterator[CheckResult]:
        yield from finds(*held)(declared, found)
        raise error

    return check


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[str, CheckType]:
    """The types of check that there are: none yet."""
    there: dict[str, CheckType] = {}
    monkeypatch.setattr(module, "CHECK_TYPES", there)
    return there


def judged(kinds: dict[str, CheckType], check: Check, *, warn_only: bool = False) -> list[CheckResult]:
    kinds["size"] = CheckType(Nothing, check)
    return list(judge(CheckConfig("size", Nothing(), warn_only), evidence([0], [0])))


def test_a_result_that_holds_passes_and_needs_no_remedy(kinds: dict[str, CheckType]) -> None:
    (result,) = judged(kinds, finds(True))
    assert (result.name, result.verdict, result.remedy) == ("size.part0", Verdict.PASSED, "")


@pytest.mark.parametrize(("warn_only", "verdict"), [(False, Verdict.FAILED), (True, Verdict.WARNED)])
def test_a_result_that_does_not_hold(kinds: dict[str, CheckType], warn_only: bool, verdict: Verdict) -> None:
    (result,) = judged(kinds, finds(False), warn_only=warn_only)
    assert (result.verdict, result.remedy) == (verdict, "mend it")


@pytest.mark.parametrize(("warn_only", "verdict"), [(False, Verdict.COULD_NOT_RUN), (True, Verdict.WARNED)])
def test_a_check_that_cannot_run(kinds: dict[str, CheckType], warn_only: bool, verdict: Verdict) -> None:
    (result,) = judged(kinds, stops(CouldNotRun("no data", remedy="get some")), warn_only=warn_only)
    assert (result.name, result.verdict, result.remedy) == ("size", verdict, "get some")
    assert "no data" in result.reason


def test_what_a_check_found_before_it_could_not_go_on_is_kept(kinds: dict[str, CheckType]) -> None:
    results = judged(kinds, stops(CouldNotRun("no more"), True, False))
    assert [result.verdict for result in results] == [Verdict.PASSED, Verdict.FAILED, Verdict.COULD_NOT_RUN]


def test_an_error_that_nobody_foresaw_could_not_run_either(kinds: dict[str, CheckType]) -> None:
    (result,) = judged(kinds, stops(ZeroDivisionError("division by zero")))
    assert (result.verdict, result.reason) == (Verdict.COULD_NOT_RUN, "ZeroDivisionError: division by zero")


def test_all_checks_run_whatever_the_others_say(kinds: dict[str, CheckType]) -> None:
    kinds |= {
        "size": CheckType(Nothing, stops(ValueError("bad"))),
        "data": CheckType(Nothing, finds(False)),
        "drift": CheckType(Nothing, finds(True)),
    }
    gate = Gate("prod", tuple(CheckConfig(kind, Nothing(), warn_only=False) for kind in kinds))
    results = run(gate, evidence([0], [0]), progress=Silent())
    assert [result.name for result in results] == ["size", "data.part0", "drift.part0"]


@pytest.mark.parametrize(
    ("verdict", "holds"), [("passed", True), ("warned", True), ("failed", False), ("could not run", False)]
)
def test_a_gate_opens_on_passed_and_warned_alone(verdict: str, holds: bool) -> None:
    assert Verdict(verdict).holds == holds
