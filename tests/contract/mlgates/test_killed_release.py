"""Releases and rollbacks as processes of their own on a real local workspace, killed by SIGKILL, and run again."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import yaml

from mlgates.core.ledger import Action, lock_of
from mlgates.core.progress import Silent
from tests.contract.amlocal.online_site import QUIET
from tests.contract.mlgates.release_site import RELEASE, ReleaseSite, release_site

pytestmark = [*QUIET, pytest.mark.xdist_group("killed")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseSite]:
    with release_site(tmp_path_factory.mktemp("killed")) as site:
        # Long enough that whoever sees the traffic move finds the process still at it.
        watched = {**RELEASE, "canary": {"steps": [10, 50, 100], "seconds": {"local": 1.0}}}
        site.settings.project.release_file.write_text(yaml.safe_dump(watched))
        yield site


Process = subprocess.Popen[str]


def started(site: ReleaseSite, *words: str) -> Process:
    command = [sys.executable, "-m", "mlgates", *words, "--project", str(site.settings.project.root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def killed(process: Process, when: Callable[[Process], bool]) -> None:
    """Kill a process by SIGKILL as soon as `when` holds; it must not have come to its end before."""
    with process:
        while not when(process):
            assert process.poll() is None, process.stdout and process.stdout.read()
        process.kill()
    assert process.returncode == -9


def says(step: str) -> Callable[[Process], bool]:
    """Wait for the line that tells of the end of a step."""

    def line(process: Process) -> bool:
        assert process.stdout is not None
        return process.stdout.readline().startswith(f"{step}: ")

    return line


def finished(process: Process) -> str:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def ends_with(site: ReleaseSite, served: str, action: Action) -> None:
    """All that a release or rollback leaves behind."""
    reading = site.context().ledger.read()
    last = reading.entries[-1]
    assert (site.traffic(), site.batch_version(), site.tag(served)) == ({served: 100}, served, "true")
    assert (last.action, last.model, reading.faults) == (action, f"moody:{served}", ())
    assert lock_of(reading.entries, site.settings.online_endpoint) is None


def test_a_release_and_a_rollback_that_are_killed_come_to_the_same_end(site: ReleaseSite) -> None:
    from mlgates.release.releasing import release  # noqa: PLC0415 - brings in azure-ai-ml

    first, second = site.approved(), site.approved()
    release(site.context(), first, progress=Silent())

    killed(started(site, "release"), says("lock"))
    assert site.traffic() == {first: 100}
    killed(started(site, "release"), lambda _: second in site.traffic())
    assert sum(site.traffic().values()) == 100
    output = finished(started(site, "release"))
    assert f"serves moody:{second} after moody:{first}" in output
    ends_with(site, second, Action.RELEASED)
    actions = [entry.action for entry in site.context().ledger.entries()]
    assert actions.count(Action.RELEASED) == 2

    killed(started(site, "rollback"), lambda _: site.traffic() == {first: 100})
    output = finished(started(site, "rollback"))
    assert f"serves moody:{first} after moody:{second}" in output
    ends_with(site, first, Action.ROLLED_BACK)
