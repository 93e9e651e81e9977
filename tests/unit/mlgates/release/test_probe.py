import json
from typing import cast

import pytest

from mlgates.core.errors import WorkspaceUnavailable
from mlgates.core.events import StepProgressed
from mlgates.core.steps import to_the_end
from mlgates.release.canary import Observation
from mlgates.release.declaration import Limits
from mlgates.release.probe import Probe, batch_requests, watch
from mlgates.release.releasing import release
from mlgates.scoring.answer import Answer
from mlgates.scoring.endpoint import Address, Endpoint
from tests.unit.mlgates.release.conftest import Town


@pytest.fixture
def probe(town: Town) -> Probe:
    """Of version 2 in green, which has no traffic, beside version 1 in blue."""
    to_the_end(release(town.work(), town.approved()))
    second = town.approved()
    for event in release(town.work(), second):
        if getattr(event, "step", None) == "smoke test":
            break
    town.asked.clear()
    return Probe(town.client, town.settings, new="green", old="blue", open_=town.reach)


class Clock:
    """Time that passes when somebody sleeps, a second each time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, _: float) -> None:
        self.now += 1


def test_the_rows_of_the_batch_sample_are_one_request_in_the_form_that_azure_takes(town: Town) -> None:
    (request,) = batch_requests(town.settings)
    assert json.loads(request.body) == {
        "input_data": {"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}
    }


def test_both_versions_are_asked_by_name_and_whoever_has_the_traffic(town: Town, probe: Probe) -> None:
    seen = probe.round() + probe.round()
    assert (town.asked, seen.answered) == ({"1": 4, "2": 2}, {"blue": 2})


def test_predictions_are_compared_row_by_row(town: Town, probe: Probe) -> None:
    town.answers["2"] = Answer(200, b"[1, 0]")
    assert (probe.round() + probe.round()).different == 2  # of the sample's one row none fits, of two rows one


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b'{"error": 1}'])
def test_what_is_no_list_of_predictions_is_an_error(town: Town, probe: Probe, body: bytes) -> None:
    town.answers["2"] = Answer(200, body)
    assert (probe.round().errors, probe.round().requests) == (1, 1)


class Silent:
    """Does not answer in time."""

    last = None

    def score(self, *_: object) -> Answer:
        raise WorkspaceUnavailable("timed out")

    def close(self) -> None:
        pass


@pytest.mark.usefixtures("probe")
def test_a_new_version_that_does_not_answer_in_time_is_an_error(town: Town) -> None:
    def reach(address: Address) -> Endpoint:
        return cast("Endpoint", Silent()) if address.deployment == "green" else town.reach(address)

    assert Probe(town.client, town.settings, new="green", old="blue", open_=reach).round().errors == 1


@pytest.mark.usefixtures("probe")
def test_when_nobody_answers_any_more_it_is_the_workspace(town: Town) -> None:
    probe = Probe(town.client, town.settings, new="green", old="blue", open_=lambda _: cast("Endpoint", Silent()))
    with pytest.raises(WorkspaceUnavailable, match="does not answer any more"):
        probe.round()


def watched(probe: Probe, limits: Limits, seconds: float) -> Observation:
    clock = Clock()
    return to_the_end(watch("canary", probe, limits, seconds=seconds, clock=clock, sleep=clock.sleep))


def test_a_step_is_watched_for_its_time(probe: Probe) -> None:
    assert watched(probe, Limits(requests=1), 10).requests == 11


def test_a_step_without_time_makes_its_requests(probe: Probe) -> None:
    assert watched(probe, Limits(requests=5), 0).requests == 5


def test_a_broken_limit_ends_the_watch_at_once(town: Town, probe: Probe) -> None:
    town.milliseconds["2"] = 900.0
    assert watched(probe, Limits(requests=3, max_median_ms=500), 1000).requests == 3


def test_hopeless_errors_end_the_watch_before_its_requests_are_made(town: Town, probe: Probe) -> None:
    town.answers["2"] = Answer(424, b"")
    assert watched(probe, Limits(requests=20, max_error_rate=0.1), 1000).requests == 3


def test_the_watch_tells_where_it_is(probe: Probe) -> None:
    clock = Clock()
    told = list(watch("canary", probe, Limits(requests=2), seconds=0, clock=clock, sleep=clock.sleep))
    assert [event.remark[:10] for event in told if isinstance(event, StepProgressed)] == ["1 requests", "2 requests"]
