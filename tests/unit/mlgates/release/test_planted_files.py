"""Whoever may write to the storage puts a file into a model's folder: it must get no traffic."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mlgates.core.errors import NotAllowed
from mlgates.core.ledger import Action
from mlgates.core.progress import Event, Silent, StepFinished, StepStarted
from mlgates.release.releasing import release
from mlgates.release.rollback import rollback
from tests.unit.mlgates.hearing import Hearing, Killed, kill, when
from tests.unit.mlgates.release.conftest import ENDPOINT, Town

MINE = "evil.py"


@pytest.fixture
def two(town: Town) -> tuple[str, str]:
    """A version that serves, and an approved one."""
    first = town.approved()
    release(town.context(), first, progress=Silent())
    return first, town.approved()


def plant(town: Town, version: str) -> None:
    (town.folder / f"model-{version}" / MINE).write_text("import os")


def take_out(town: Town, version: str) -> None:
    (town.folder / f"model-{version}" / MINE).unlink()


class Fetching:
    """Deployments that fetch the files of their model when they are made, and tell of it as amlocal does."""

    def __init__(self, town: Town, *, tells: bool) -> None:
        self._town = town
        self.held: dict[str, list[str]] = {}
        deployments = town.workspace.online_deployments
        self._make = deployments.begin_create_or_update
        deployments.begin_create_or_update = self._made  # type: ignore[method-assign]
        if tells:
            deployments.fetched = lambda name, _: self._log(name)

    def _made(self, entity: Any) -> Any:
        poller = self._make(entity)
        folder = self._town.folder / f"model-{self._town.serving(entity.name)}"
        files = sorted(folder.iterdir())
        log = [f"Model m: {len(files)} files, 7 bytes."]
        log += [f"[amlocal] sha256 {digest(file)} {json.dumps(f'm/{file.name}')}" for file in files]
        self.held[entity.name] = [file.name for file in files]
        self._logs = {**getattr(self, "_logs", {}), entity.name: "\n".join(log)}
        return poller

    def _log(self, name: str) -> str:
        return str(self._logs[name])


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def served_files(town: Town, fetching: Fetching) -> set[str]:
    """The names of all files that have traffic."""
    shares = town.workspace.online_endpoints.held[ENDPOINT,].traffic or {}
    return {file for name, share in shares.items() if share for file in fetching.held.get(name, ["MLmodel"])}


MOMENTS = [(StepFinished, "approval"), (StepFinished, "lock"), (StepFinished, "online endpoint")]


@pytest.mark.parametrize("tells", [True, False], ids=["amlocal", "azure"])
@pytest.mark.parametrize(("kind", "step"), MOMENTS)
def test_a_file_that_is_planted_before_the_deployment_gets_no_traffic(
    town: Town, two: tuple[str, str], tells: bool, kind: type[Event], step: str
) -> None:
    fetching = Fetching(town, tells=tells)
    with pytest.raises(NotAllowed, match=r"has other files than classifier:2|classifier:2 has changed on its way"):
        release(town.context(), two[1], progress=Hearing(when(kind, step, lambda: plant(town, two[1]))))
    assert MINE in fetching.held["green"]
    assert (town.traffic, town.batch) == ({two[0]: 100}, two[0])
    assert ("green", ENDPOINT) not in town.workspace.online_deployments.held


def test_a_file_that_is_planted_and_taken_out_again_is_seen_where_the_deployment_logs_it(
    town: Town, two: tuple[str, str]
) -> None:
    Fetching(town, tells=True)

    def hear(event: Event) -> None:
        when(StepFinished, "lock", lambda: plant(town, two[1]))(event)
        when(StepFinished, "online deployment", lambda: take_out(town, two[1]))(event)

    with pytest.raises(NotAllowed, match="online-local/green has other files than classifier:2"):
        release(town.context(), two[1], progress=Hearing(hear))
    assert town.traffic == {two[0]: 100}


@pytest.mark.parametrize("tells", [True, False], ids=["amlocal", "azure"])
def test_the_first_release_of_all_gives_no_traffic_to_a_planted_file(town: Town, tells: bool) -> None:
    Fetching(town, tells=tells)
    version = town.approved()
    with pytest.raises(NotAllowed):
        release(town.context(), version, progress=Hearing(when(StepFinished, "lock", lambda: plant(town, version))))
    assert town.traffic == {}


@pytest.mark.parametrize("tells", [True, False], ids=["amlocal", "azure"])
def test_what_a_killed_release_has_deployed_is_not_believed(town: Town, two: tuple[str, str], tells: bool) -> None:
    """Planted, deployed, killed, taken out: the files are what was approved, the deployment is not."""
    fetching = Fetching(town, tells=tells)

    def hear(event: Event) -> None:
        when(StepFinished, "lock", lambda: plant(town, two[1]))(event)
        when(StepStarted, "deployed content", kill)(event)

    with pytest.raises(Killed):
        release(town.context(), two[1], progress=Hearing(hear))
    take_out(town, two[1])
    for _ in range(2):  # once to see it, at the latest
        try:
            release(town.context(), two[1], progress=Silent())
        except NotAllowed:
            continue
        break
    assert served_files(town, fetching) == {"MLmodel"}
    assert town.traffic == {two[1]: 100}


def test_a_file_that_is_planted_during_the_canary_is_not_scored_by_the_batch_endpoint(
    town: Town, two: tuple[str, str]
) -> None:
    hear = when(StepFinished, "canary 100 %", lambda: plant(town, two[1]))
    with pytest.raises(NotAllowed, match="classifier:2 has changed on its way"):
        release(town.context(), two[1], progress=Hearing(hear))
    assert (town.traffic, town.batch, town.decisions()[-1]) == ({two[0]: 100}, two[0], ("approved", two[1]))


@pytest.mark.parametrize("tells", [True, False], ids=["amlocal", "azure"])
@pytest.mark.parametrize("gone", [True, False], ids=["deployed again", "still there"])
def test_a_rollback_gives_no_traffic_to_a_planted_file(
    town: Town, two: tuple[str, str], tells: bool, gone: bool
) -> None:
    release(town.context(), two[1], progress=Silent())
    Fetching(town, tells=tells and gone)
    if gone:
        town.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    with pytest.raises(NotAllowed, match=r"has changed|has other files"):
        rollback(town.context(), progress=Hearing(when(StepFinished, "lock", lambda: plant(town, two[0]))))
    assert (town.traffic, town.batch) == ({two[1]: 100}, two[1])


def test_a_rollback_leaves_the_batch_endpoint_when_a_file_is_planted_after_the_traffic_has_moved(
    town: Town, two: tuple[str, str]
) -> None:
    release(town.context(), two[1], progress=Silent())
    with pytest.raises(NotAllowed, match="has changed on its way"):
        rollback(town.context(), progress=Hearing(when(StepFinished, "online traffic", lambda: plant(town, two[0]))))
    assert town.batch == two[1]


def test_a_version_that_is_rejected_before_the_lock_is_taken_is_not_released(town: Town, two: tuple[str, str]) -> None:
    hear = when(StepFinished, "approval", lambda: town.write(Action.REJECTED, two[1]))
    with pytest.raises(NotAllowed, match="was rejected by Ann"):
        release(town.context(), two[1], progress=Hearing(hear))
    assert town.traffic == {two[0]: 100}


def test_a_version_that_is_rejected_later_is_not_rolled_back_to(town: Town, two: tuple[str, str]) -> None:
    release(town.context(), two[1], progress=Silent())
    town.write(Action.REJECTED, two[0])
    with pytest.raises(NotAllowed, match="classifier:1 was rejected by Ann"):
        rollback(town.context(), progress=Silent())
    assert town.traffic == {two[1]: 100}


def test_a_deployment_that_was_proved_is_not_made_again(town: Town, two: tuple[str, str]) -> None:
    release(town.context(), two[1], progress=Silent())
    rollback(town.context(), progress=Silent())
    made = len(town.workspace.online_deployments.asked)
    release(town.context(), two[1], progress=Silent())
    assert len(town.workspace.online_deployments.asked) == made
