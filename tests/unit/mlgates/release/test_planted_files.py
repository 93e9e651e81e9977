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
from tests.unit.mlgates.progress_listener import Killed, ProgressListener, kill, when
from tests.unit.mlgates.release.conftest import ENDPOINT, FakeSite

MINE = "evil.py"


@pytest.fixture
def two(site: FakeSite) -> tuple[str, str]:
    """A version that serves, and an approved one."""
    first = site.approved()
    release(site.context(), first, progress=Silent())
    return first, site.approved()


def plant(site: FakeSite, version: str) -> None:
    (site.folder / f"model-{version}" / MINE).write_text("import os")


def take_out(site: FakeSite, version: str) -> None:
    (site.folder / f"model-{version}" / MINE).unlink()


class Fetching:
    """Deployments that fetch the files of their model when they are made, and tell of it as amlocal does."""

    def __init__(self, site: FakeSite, *, tells: bool) -> None:
        self._site = site
        self.held: dict[str, list[str]] = {}
        deployments = site.workspace.online_deployments
        self._make = deployments.begin_create_or_update
        deployments.begin_create_or_update = self._made  # type: ignore[method-assign]
        if tells:
            deployments.fetched = lambda name, _: self._log(name)

    def _made(self, entity: Any) -> Any:
        poller = self._make(entity)
        folder = self._site.folder / f"model-{self._site.serving(entity.name)}"
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


def served_files(site: FakeSite, fetching: Fetching) -> set[str]:
    """The names of all files that have traffic."""
    shares = site.workspace.online_endpoints.held[ENDPOINT,].traffic or {}
    return {file for name, share in shares.items() if share for file in fetching.held.get(name, ["MLmodel"])}


MOMENTS = [(StepFinished, "approval"), (StepFinished, "lock"), (StepFinished, "online endpoint")]


@pytest.mark.parametrize("tells", [True, False], ids=["amlocal", "azure"])
@pytest.mark.parametrize(("kind", "step"), MOMENTS)
def test_a_file_that_is_planted_before_the_deployment_gets_no_traffic(
    site: FakeSite, two: tuple[str, str], tells: bool, kind: type[Event], step: str
) -> None:
    fetching = Fetching(site, tells=tells)
    with pytest.raises(NotAllowed, match=r"has other files than classifier:2|classifier:2 has changed on its way"):
        release(site.context(), two[1], progress=ProgressListener(when(kind, step, lambda: plant(site, two[1]))))
    assert MINE in fetching.held["green"]
    assert (site.traffic, site.batch) == ({two[0]: 100}, two[0])
    assert ("green", ENDPOINT) not in site.workspace.online_deployments.held


def test_a_file_that_is_planted_and_taken_out_again_is_seen_where_the_deployment_logs_it(
    site: FakeSite, two: tuple[str, str]
) -> None:
    Fetching(site, tells=True)

    def hear(event: Event) -> None:
        when(StepFinished, "lock", lambda: plant(site, two[1]))(event)
        when(StepFinished, "online deployment", lambda: take_out(site, two[1]))(event)

    with pytest.raises(NotAllowed, match="online-local/green has other files than classifier:2"):
        release(site.context(), two[1], progress=ProgressListener(hear))
    assert site.traffic == {two[0]: 100}


@pytest.mark.parametrize("tells", [True, False], ids=["amlocal", "azure"])
def test_the_first_release_of_all_gives_no_traffic_to_a_planted_file(site: FakeSite, tells: bool) -> None:
    Fetching(site, tells=tells)
    version = site.approved()
    with pytest.raises(NotAllowed):
        release(
            site.context(), version, progress=ProgressListener(when(StepFinished, "lock", lambda: plant(site, version)))
        )
    assert site.traffic == {}


@pytest.mark.parametrize("tells", [True, False], ids=["amlocal", "azure"])
def test_what_a_killed_release_has_deployed_is_not_believed(site: FakeSite, two: tuple[str, str], tells: bool) -> None:
    """Planted, deployed, killed, taken out: the files are what was approved, the deployment is not."""
    fetching = Fetching(site, tells=tells)

    def hear(event: Event) -> None:
        when(StepFinished, "lock", lambda: plant(site, two[1]))(event)
        when(StepStarted, "deployed content", kill)(event)

    with pytest.raises(Killed):
        release(site.context(), two[1], progress=ProgressListener(hear))
    take_out(site, two[1])
    for _ in range(2):  # once to see it, at the latest
        try:
            release(site.context(), two[1], progress=Silent())
        except NotAllowed:
            continue
        break
    assert served_files(site, fetching) == {"MLmodel"}
    assert site.traffic == {two[1]: 100}


def test_a_file_that_is_planted_during_the_canary_is_not_scored_by_the_batch_endpoint(
    site: FakeSite, two: tuple[str, str]
) -> None:
    hear = when(StepFinished, "canary 100 %", lambda: plant(site, two[1]))
    with pytest.raises(NotAllowed, match="classifier:2 has changed on its way"):
        release(site.context(), two[1], progress=ProgressListener(hear))
    assert (site.traffic, site.batch, site.decisions()[-1]) == ({two[0]: 100}, two[0], ("approved", two[1]))


@pytest.mark.parametrize("tells", [True, False], ids=["amlocal", "azure"])
@pytest.mark.parametrize("gone", [True, False], ids=["deployed again", "still there"])
def test_a_rollback_gives_no_traffic_to_a_planted_file(
    site: FakeSite, two: tuple[str, str], tells: bool, gone: bool
) -> None:
    release(site.context(), two[1], progress=Silent())
    Fetching(site, tells=tells and gone)
    if gone:
        site.workspace.online_deployments.begin_delete("blue", ENDPOINT)
    with pytest.raises(NotAllowed, match=r"has changed|has other files"):
        rollback(site.context(), progress=ProgressListener(when(StepFinished, "lock", lambda: plant(site, two[0]))))
    assert (site.traffic, site.batch) == ({two[1]: 100}, two[1])


def test_a_rollback_leaves_the_batch_endpoint_when_a_file_is_planted_after_the_traffic_has_moved(
    site: FakeSite, two: tuple[str, str]
) -> None:
    release(site.context(), two[1], progress=Silent())
    with pytest.raises(NotAllowed, match="has changed on its way"):
        rollback(
            site.context(), progress=ProgressListener(when(StepFinished, "online traffic", lambda: plant(site, two[0])))
        )
    assert site.batch == two[1]


def test_a_version_that_is_rejected_before_the_lock_is_taken_is_not_released(
    site: FakeSite, two: tuple[str, str]
) -> None:
    hear = when(StepFinished, "approval", lambda: site.write(Action.REJECTED, two[1]))
    with pytest.raises(NotAllowed, match="was rejected by Ann"):
        release(site.context(), two[1], progress=ProgressListener(hear))
    assert site.traffic == {two[0]: 100}


def test_a_version_that_is_rejected_later_is_not_rolled_back_to(site: FakeSite, two: tuple[str, str]) -> None:
    release(site.context(), two[1], progress=Silent())
    site.write(Action.REJECTED, two[0])
    with pytest.raises(NotAllowed, match="classifier:1 was rejected by Ann"):
        rollback(site.context(), progress=Silent())
    assert site.traffic == {two[1]: 100}


def test_a_deployment_that_was_proved_is_not_made_again(site: FakeSite, two: tuple[str, str]) -> None:
    release(site.context(), two[1], progress=Silent())
    rollback(site.context(), progress=Silent())
    made = len(site.workspace.online_deployments.asked)
    release(site.context(), two[1], progress=Silent())
    assert len(site.workspace.online_deployments.asked) == made
