from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mlgates.core.progress import Silent
from mlgates.delivery.ledger import Ledger
from mlgates.release.releasing import release
from mlgates.release.tidying import tidy
from mlgates.release.work import Work
from tests.unit.mlgates.release.conftest import ENDPOINT, Town


def later(town: Town, hours: float) -> Work:
    """The work of so many hours later."""
    clock = lambda: datetime.now(UTC) + timedelta(hours=hours)  # noqa: E731
    return replace(town.work(), ledger=Ledger(town.client, "classifier", ENDPOINT, clock=clock))


def tidied(town: Town, hours: float) -> Sequence[str]:
    return [outcome.summary for outcome in tidy(later(town, hours), progress=Silent())]


def released(town: Town, count: int) -> None:
    for _ in range(count):
        release(town.work(), town.approved(), progress=Silent())


def test_without_a_release_there_is_nothing_to_take_away(town: Town) -> None:
    assert tidied(town, 1000) == []


def test_an_old_deployment_is_kept_for_its_time(town: Town) -> None:
    released(town, 2)
    assert tidied(town, 71) == []


def test_then_it_is_taken_away_at_both_endpoints(town: Town) -> None:
    released(town, 2)
    assert tidied(town, 73) == ["online-local/blue deleted", "batch-local/blue deleted"]
    assert (town.traffic, town.batch) == ({"2": 100}, "2")


def test_what_has_traffic_is_never_taken_away(town: Town) -> None:
    released(town, 1)
    assert tidied(town, 1000) == []
    assert town.traffic == {"1": 100}


def test_a_deployment_of_another_name_is_left_alone(town: Town) -> None:
    released(town, 2)
    held = town.workspace.online_deployments.held
    held["mine", ENDPOINT] = held["blue", ENDPOINT]
    tidied(town, 73)
    assert {name for name, _ in held} == {"green", "mine"}
