from typing import cast

import pytest

from mlgates.contract.signature import Column, DataType, ModelContract, Tensor
from mlgates.core.errors import WorkspaceUnavailable
from mlgates.core.progress import Silent, StepStarted
from mlgates.endpoint_client import Address, EndpointClient, ScoringResponse
from mlgates.release.canary_statistics import Observation, total
from mlgates.release.probe import WARM_UP, Probe
from mlgates.release.releasing import release
from mlgates.release.samples import read_samples
from tests.unit.mlgates.progress_listener import Killed, ProgressListener, kill, when
from tests.unit.mlgates.release.conftest import FakeSite, good

INPUTS = (Column("a", DataType.LONG), Column("b", DataType.DOUBLE))


def contract(kind: DataType) -> ModelContract:
    return ModelContract(INPUTS, (Tensor("", kind, (-1,), "any"),))


@pytest.fixture
def deployed(site: FakeSite) -> FakeSite:
    """With version 2 in green, which has no traffic, beside version 1 in blue."""
    release(site.context(), site.approved(), progress=Silent())
    second = site.approved()
    with pytest.raises(Killed):
        release(site.context(), second, progress=ProgressListener(when(StepStarted, "smoke test", kill)))
    site.asked.clear()
    return site


def probe_of(site: FakeSite, kind: DataType = DataType.LONG, **silent: bool) -> Probe:
    """A probe; versions that are `silent`, by deployment, do not answer in time."""

    def reach(address: Address) -> EndpointClient:
        name = address.deployment or "callers"
        return cast("EndpointClient", Mute()) if silent.get(name) else site.reach(address)

    samples = read_samples(site.settings, contract(kind))
    return Probe(site.client, site.settings, samples, new="green", old="blue", open_=reach)


def rounds(probe: Probe, count: int) -> Observation:
    return total(probe.round() for _ in range(count))


class Mute:
    """Does not answer in time."""

    last = None

    def score(self, *_: object) -> ScoringResponse:
        raise WorkspaceUnavailable("timed out")

    def close(self) -> None:
        pass


def test_both_versions_are_asked_by_name_and_whoever_has_the_traffic(deployed: FakeSite) -> None:
    seen = rounds(probe_of(deployed), 2)
    assert (deployed.asked, seen.answered) == ({"1": 4, "2": 2}, {"blue": 2})


def test_predictions_are_compared_row_by_row(deployed: FakeSite) -> None:
    deployed.answers["2"] = ScoringResponse(200, b"[1, 0]")
    probe = probe_of(deployed)
    one, two = probe.round(), probe.round()
    assert (one.errors, two.errors) == (1, 0)  # two predictions for the one row of the online sample
    assert (two.different, two.predictions) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "old", "new", "different"),
    [
        (DataType.DOUBLE, "[0.1, 0.3]", "[0.1, 0.30000000000000004]", 0),
        (DataType.DOUBLE, "[1, 2]", "[1.0, 2.5]", 1),
        (DataType.STRING, '["yes", "no"]', '["yes", "No"]', 1),
        (DataType.DOUBLE, "[NaN, 1.0]", "[NaN, 1.0]", 0),
        (DataType.LONG, "[1, 0]", "[1, 0]", 0),
    ],
)
def test_predictions_are_compared_as_the_contract_compares(
    deployed: FakeSite, kind: DataType, old: str, new: str, different: int
) -> None:
    deployed.answers |= {"1": ScoringResponse(200, old.encode()), "2": ScoringResponse(200, new.encode())}
    seen = rounds(probe_of(deployed, kind), 2)
    assert (seen.different, seen.predictions) == (different, 2)


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b'{"error": 1}', b"[" * 100_000, b'["a"]', b"[1.5]", b"[1, 1]"])
def test_what_is_no_prediction_as_the_signature_promises_is_an_error(deployed: FakeSite, body: bytes) -> None:
    deployed.answers["2"] = ScoringResponse(200, body)
    seen = probe_of(deployed).round()
    assert (seen.errors, seen.requests, seen.shared) == (1, 1, 0)


def test_what_the_version_that_serves_promised_is_no_fault_of_it(deployed: FakeSite) -> None:
    deployed.answers["1"] = ScoringResponse(200, b'["a", "b"]')
    seen = rounds(probe_of(deployed), 2)
    assert (seen.errors, seen.errors_beside, seen.different) == (0, 1, 2)  # of the first request, it has one too many


@pytest.mark.parametrize("answer", [ScoringResponse(424, b"{}"), ScoringResponse(200, b"oops")])
def test_what_both_versions_fail_is_nobodys_error(deployed: FakeSite, answer: ScoringResponse) -> None:
    deployed.answers |= {"1": answer, "2": answer}
    seen = rounds(probe_of(deployed), 4)
    assert (seen.shared, seen.requests, seen.errors, seen.errors_beside) == (4, 0, 0, 0)


@pytest.mark.parametrize(
    "answer", [ScoringResponse(424, b"{}"), ScoringResponse(500, b""), ScoringResponse(200, b"oops")]
)
def test_what_the_old_version_fails_is_counted_as_its_own(deployed: FakeSite, answer: ScoringResponse) -> None:
    deployed.answers["1"] = answer
    seen = rounds(probe_of(deployed), WARM_UP + 2)
    assert (seen.errors, seen.errors_beside, seen.alone) == (0, WARM_UP + 2, (5.0, 5.0))


def test_a_new_version_that_does_not_answer_in_time_is_an_error(deployed: FakeSite) -> None:
    assert probe_of(deployed, green=True).round().errors == 1


def test_an_old_version_that_does_not_answer_in_time_ends_nothing(deployed: FakeSite) -> None:
    seen = rounds(probe_of(deployed, blue=True), 10)
    assert (seen.errors, seen.errors_beside) == (0, 10)


def test_a_request_of_the_traffic_that_nobody_answers_ends_nothing(deployed: FakeSite) -> None:
    seen = rounds(probe_of(deployed, callers=True), 10)
    assert (seen.requests, seen.errors, dict(seen.answered)) == (10, 0, {})


def test_when_nobody_answers_any_more_it_is_the_workspace(deployed: FakeSite) -> None:
    probe = probe_of(deployed, green=True, blue=True, callers=True)
    assert rounds(probe, 2).shared == 2
    with pytest.raises(WorkspaceUnavailable, match="does not answer any more"):
        probe.round()


def test_the_first_rounds_are_not_timed_and_their_failures_count(deployed: FakeSite) -> None:
    probe = probe_of(deployed)
    deployed.answers["2"] = ScoringResponse(424, b"{}")
    first = probe.round()
    del deployed.answers["2"]
    seen = first + rounds(probe, WARM_UP + 1)
    assert (seen.errors, seen.answers) == (1, 2)


def test_neither_version_is_always_the_first_to_be_asked(deployed: FakeSite) -> None:
    order: list[str] = []
    deployed.heard = order.append
    rounds(probe_of(deployed), 2)
    by_name = [version for place, version in enumerate(order) if place % 3 != 2]
    assert by_name == ["1", "2", "2", "1"]


def test_good_answers_are_counted(deployed: FakeSite) -> None:
    assert good(b'{"input_data": [[1, 2]]}').json() == [1]
    seen = rounds(probe_of(deployed), 10)
    assert (seen.requests, seen.errors, seen.answers, seen.different) == (10, 0, 10 - WARM_UP, 0)
