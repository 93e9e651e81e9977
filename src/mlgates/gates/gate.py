"""How a gate is run: all its checks, whatever the others say, so that one run tells everything."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from mlgates.core.gates import CheckResult, Verdict
from mlgates.core.progress import Progress
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.checks import CHECK_TYPES
from mlgates.gates.declaration import CheckConfig, Gate
from mlgates.gates.evidence import Evidence

# A check that raises what nobody foresaw must not hide what the others found.
_FAULT = "this is a fault of the check, or evidence that it did not foresee: see the traceback with --debug"


def run(
    gate: Gate, evidence: Evidence, *, progress: Progress, clock: Callable[[], float] = time.monotonic
) -> tuple[CheckResult, ...]:
    """Run every check of `gate` as a step of its own; return all results in the order of the declaration."""
    results: list[CheckResult] = []
    for planned in gate.checks:
        with progress.step(planned.kind) as step:
            results += step.done(_Results(judge(planned, evidence, clock=clock)))
    return tuple(results)


class _Results(tuple[CheckResult, ...]):
    """The results of one check, as a step reports them."""

    __slots__ = ()

    @property
    def summary(self) -> str:
        """Say the first that does not hold, or how many do."""
        broken = next((result for result in self if not result.verdict.holds), None)
        return broken.summary if broken else "; ".join(result.reason for result in self)


def judge(
    planned: CheckConfig, evidence: Evidence, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[CheckResult]:
    """Yield the results of one check; one that cannot run is one result that says so, after those it still found."""
    began = clock()
    found: list[CheckResult] = []
    stopped: CheckResult | None = None
    try:
        for result in CHECK_TYPES[planned.kind].check(planned.config, evidence):
            found.append(result)  # noqa: PERF402 - what was found before one that cannot run is kept
    except CouldNotRun as error:
        stopped = _stopped(planned, str(error), error.remedy)
    except Exception as error:  # noqa: BLE001 - see _FAULT; the result says it, and the gate fails
        stopped = _stopped(planned, f"{type(error).__name__}: {error}", _FAULT)
    seconds = clock() - began
    for result in found:
        yield _completed(planned, result, seconds)
    if stopped:
        yield stopped


def _completed(planned: CheckConfig, found: CheckResult, seconds: float) -> CheckResult:
    """Return what a check found as the gate reports it: by the name of the check, a failure that warns only as that."""
    broken = Verdict.WARNED if planned.warn_only else Verdict.FAILED
    return replace(
        found,
        name=f"{planned.kind}.{found.name}" if found.name else planned.kind,
        verdict=Verdict.PASSED if found.holds else broken,
        remedy="" if found.holds else found.remedy,
        seconds=seconds,
    )


def _stopped(planned: CheckConfig, reason: str, remedy: str) -> CheckResult:
    # Where even a failure would pass with a warning, not knowing does too.
    verdict, said = (Verdict.WARNED, "could not run: ") if planned.warn_only else (Verdict.COULD_NOT_RUN, "")
    return CheckResult(name=planned.kind, verdict=verdict, reason=f"{said}{reason}", remedy=remedy)
