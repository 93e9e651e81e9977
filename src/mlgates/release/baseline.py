"""A fresh deployment of the version that serves, which the new one is compared with while a canary goes on.

One that has served for weeks has full caches and all the traffic: what differs then is not the version alone. So, as
Kayenta has it, the baseline is deployed when the new one is, as the same file declares it, and gets as much traffic.
"""

from dataclasses import dataclass

from mlgates.core.errors import DeploymentFailed, EndpointTestFailed, NotAllowed
from mlgates.core.progress import Progress
from mlgates.delivery.candidates import find_model
from mlgates.delivery.online import online_deployment
from mlgates.delivery.online_trial import smoke_test_online
from mlgates.delivery.serving import look_online
from mlgates.release.places import BASELINE
from mlgates.release.rules import Served
from mlgates.release.subject import Content, check_deployed, check_unchanged
from mlgates.release.tidying import deleted
from mlgates.release.work import Work


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the new version is compared with."""

    name: str | None
    """The fresh deployment; None when there is none."""
    reason: str = ""
    """Why there is none."""

    @property
    def summary(self) -> str:
        """One phrase for a person."""
        return self.name or f"none, the deployment that serves takes its place: {self.reason}"


def deploy_baseline(work: Work, live: Served, *, progress: Progress) -> Baseline:
    """Deploy what serves once more; without traffic, and tried. When that cannot be there is none, with the reason."""
    with progress.step("baseline") as step:
        return step.done(_deployed(work, live, progress=step.inner))


def remove_baseline(work: Work, *, progress: Progress) -> None:
    """Take the baseline away, also what a killed release has left of one; it must have no traffic any more."""
    if BASELINE in look_online(work.client, work.endpoint).deployments:
        with progress.step("baseline removed") as step:
            step.done(deleted(work, "online", work.endpoint, BASELINE, progress=step.inner))


def _deployed(work: Work, live: Served, *, progress: Progress) -> Baseline:
    try:
        _brought_up(work, live, progress=progress)
    except (DeploymentFailed, NotAllowed, EndpointTestFailed) as error:
        reason = str(error).splitlines()[0]
    else:
        return Baseline(BASELINE)
    serving = look_online(work.client, work.endpoint)
    # What came up half holds an instance, or the quota for one.
    if BASELINE in serving.deployments and BASELINE not in serving.shares:
        deleted(work, "online", work.endpoint, BASELINE, progress=progress)
    return Baseline(None, reason)


def _brought_up(work: Work, live: Served, *, progress: Progress) -> None:
    model = find_model(work.client, work.settings, live.model.partition(":")[2])
    content = Content(model, live.sha256)
    check_unchanged(work.client, work.settings, content)
    serving = look_online(work.client, work.endpoint)
    if BASELINE in serving.deployments and BASELINE not in serving.shares:  # left by a killed release, and never proved
        deleted(work, "online", work.endpoint, BASELINE, progress=progress)
    online_deployment(work.client, work.settings, model, BASELINE, poll_s=work.poll_s, progress=progress)
    check_deployed(work.client, work.settings, content, BASELINE)
    smoke_test_online(work.client, work.settings, deployment=BASELINE, reach=work.reach)
