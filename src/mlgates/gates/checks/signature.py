"""Whether those who call the champion can call the candidate: its signature is there, and breaks nothing."""

from collections.abc import Iterator

from mlgates.config.declaring import Strict
from mlgates.core.errors import MlgatesError
from mlgates.core.gates import CheckResult, Verdict
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.evidence import Evidence


class SignatureConfig(Strict):
    """Without settings: a change that breaks callers is one, or it is not."""


def check(_: SignatureConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield one result. Evidence: `changes`, each a line that begins with `breaking` or `compatible`."""
    # Imported here: the contract brings in hypothesis.
    from mlgates.contract.compatibility import compare  # noqa: PLC0415
    from mlgates.contract.model_folder import read_contract  # noqa: PLC0415

    candidate, champion = evidence.candidate, evidence.champion
    try:
        ours = read_contract(candidate.folder)
    except MlgatesError as error:
        yield CheckResult(
            name="", verdict=Verdict.FAILED, reason=str(error), remedy="save the model with its signature"
        )
        return
    if champion is None:
        yield CheckResult(
            name="", verdict=Verdict.PASSED, reason=f"takes {', '.join(ours.names)}; nothing serves yet to compare with"
        )
        return
    try:
        theirs = read_contract(champion.folder)
    except MlgatesError as error:
        raise CouldNotRun(f"champion {champion}: {error}", remedy="roll back to a version that has one") from error
    compared = compare(theirs, ours)
    yield CheckResult(
        name="",
        verdict=Verdict.passed_if(compared.compatible),
        reason=f"against {champion}: {compared.summary}",
        limit="nothing that breaks callers",
        remedy="keep the names, types and order of the columns, or give callers a new endpoint",
        evidence={"changes": [str(change) for change in compared.changes]},
    )
