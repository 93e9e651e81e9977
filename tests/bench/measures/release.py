"""A release: what a caller notices of the canary, and what a rollback takes."""

import json
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, MeasureFailed
from tests.bench.load import Load, Target, press, require_wrk
from tests.bench.processes import timed

if TYPE_CHECKING:
    from mlgates.core.progress import Event
    from tests.contract.mlgates.release_site import ReleaseSite

ROUNDS = 3
SECONDS = 4
"""How long each of the three steps is watched."""
_CANARY = "canary 10 %"


def release() -> list[Figure]:
    """The median time of a request at one connection, during a canary over before and after; none may be lost."""
    require_wrk()
    from mlgates.core.progress import Silent  # noqa: PLC0415 - with azure-ai-ml, once the workspace is up
    from mlgates.release.rollback import rollback  # noqa: PLC0415

    ratios, backs = [], []
    with _site() as site:
        target = _target(site)
        for _ in range(ROUNDS):
            version = site.approved()
            before = press(target, connections=1, seconds=2 * SECONDS)
            during = _pressed_during(site, version, target)
            after = press(target, connections=1, seconds=2 * SECONDS)
            # The machine has other things to do, now and then: what is beside the canary is on both its sides.
            ratios.append(2 * during.median_ms / (before.median_ms + after.median_ms))
            backs.append(timed(lambda: rollback(site.context(), progress=Silent())))
    return [
        Figure("request during a canary over before and after, 1 connection", "x", tuple(ratios), 1.1),
        Figure("rollback", "s", tuple(backs)),
    ]


def _pressed_during(site: "ReleaseSite", version: str, target: Target) -> Load:
    """Release a version; return what a caller saw from the first step of its canary on."""
    from mlgates.release.releasing import release as run  # noqa: PLC0415
    from tests.unit.mlgates.progress_listener import ProgressListener, step_of  # noqa: PLC0415

    found: list[Load] = []
    caller = threading.Thread(target=lambda: found.append(press(target, connections=1, seconds=2 * SECONDS)))

    def hear(event: "Event") -> None:
        if step_of(event) == _CANARY and not (caller.is_alive() or found):
            caller.start()

    run(site.context(), version, progress=ProgressListener(hear))
    caller.join()
    if not found:
        raise MeasureFailed("requests were lost during a canary")
    return found[0]


def _target(site: "ReleaseSite") -> Target:
    from tests.contract.mlgates.release_site import SAMPLE  # noqa: PLC0415

    address = site.address()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {address.credential}"}
    return Target(address.uri, json.dumps(SAMPLE), headers)


@contextmanager
def _site() -> Iterator["ReleaseSite"]:
    """A workspace with a version that serves, and steps of a canary that are watched for `SECONDS`."""
    from tests.contract.mlgates.release_site import release_site  # noqa: PLC0415

    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
        release_site(Path(folder)) as site,
    ):
        warnings.simplefilter("ignore")  # azure-ai-ml's own
        canary = site.declared.canary
        watched = canary.seconds.model_copy(update={"local": float(SECONDS)})
        site.declared = site.declared.model_copy(update={"canary": canary.model_copy(update={"seconds": watched})})
        from mlgates.core.progress import Silent  # noqa: PLC0415
        from mlgates.delivery.connection import silence_sdk_logging  # noqa: PLC0415
        from mlgates.release.releasing import release as run  # noqa: PLC0415

        silence_sdk_logging()
        run(site.context(), site.approved(), progress=Silent())
        yield site
