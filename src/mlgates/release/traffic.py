"""How traffic is shifted to a deployment that is up: tried without any, then step by step, monitored, or reverted."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from mlgates.core.deployments import OnlineSmokeTest
from mlgates.core.errors import CanaryBroken, CanaryUndecided
from mlgates.core.ledger import Action, Draft
from mlgates.core.progress import Progress, Step
from mlgates.delivery.mlflow_runs import tag_model
from mlgates.delivery.models import RELEASED_TAG
from mlgates.delivery.online import share_traffic, smoke_test_online
from mlgates.delivery.operations import OperationResult
from mlgates.release.approval import Content
from mlgates.release.blue_green import remove_baseline
from mlgates.release.canary import State, Watch, Watched, watch
from mlgates.release.canary_statistics import Observation
from mlgates.release.context import Work
from mlgates.release.probe import Probe
from mlgates.release.release_file import ALL
from mlgates.release.samples import Samples

REASON_TAG = "released.reason"
"""On a withdrawn model version: why."""


@dataclass(frozen=True, slots=True)
class Split:
    """How the traffic is shared between the version that is on its way and the one that serves."""

    new: str
    """The name of a deployment, as `old` is."""
    old: str
    share: int
    """Percent for the new one, from 0 to 100."""
    baseline: str | None = None
    """A fresh deployment of the version that serves: it gets as much as the new one, as long as there is so much."""

    @property
    def traffic(self) -> dict[str, int]:
        """Percent by deployment; one without any is left out."""
        beside = min(self.share, ALL - self.share) if self.baseline else 0
        shares = ((self.new, self.share), (self.baseline or "", beside), (self.old, ALL - self.share - beside))
        return {name: share for name, share in shares if share}

    @property
    def beside(self) -> str:
        """The deployment that the new one is compared with."""
        return self.baseline or self.old


@dataclass(frozen=True, slots=True)
class _Step:
    """A step on the way of the traffic."""

    name: str
    split: Split
    before: Observation
    """What was seen at the steps before, since the new version has had traffic."""
    compared: bool
    mirror: int = 0
    """Percent of the traffic that is copied to the new version."""


def smoke(work: Work, name: str, *, progress: Progress) -> OnlineSmokeTest:
    """Send the sample to the deployment `name`, whatever the traffic. Raises `EndpointTestFailed`."""
    trial = partial(smoke_test_online, work.client, work.settings, deployment=name, reach=work.reach)
    return progress.run("smoke test", trial)


def all_to(work: Work, name: str | None, *, progress: Progress) -> OperationResult:
    """Give one deployment all the traffic, or none to any, and mirror none."""
    traffic = {name: ALL} if name else {}
    with progress.step("online traffic") as step:
        return step.done(share_traffic(step, work.client, work.endpoint, traffic, mirror={}, poll_s=work.poll_s))


def walk(
    work: Work,
    content: Content,
    split: Split,
    steps: Sequence[int],
    samples: Samples,
    *,
    compared: bool = True,
    progress: Progress,
) -> None:
    """Move the traffic of `split` along `steps` to the new version, each step watched with `samples`.

    Unless it has to be `compared`, the new version is judged alone when the old one does not answer.
    Raises `CanaryBroken` with reason and figures once a limit is broken, the traffic is back and the version withdrawn;
    `CanaryUndecided` when a step has come to no verdict, and the traffic is back.
    """
    tolerance = work.declared.limits.tolerance
    probe = Probe(
        work.client, work.settings, samples, new=split.new, old=split.beside, tolerance=tolerance, open_=work.reach
    )
    seen = Observation()
    try:
        if (percent := work.declared.canary.mirror) and split.share == 0:
            _gone(work, content, _Step("mirror", split, seen, compared, mirror=percent), probe, progress=progress)
        for share in steps_left(steps, split.share):
            split = replace(split, share=share)
            canary = _Step(f"canary {share} %", split, seen, compared)
            seen += _gone(work, content, canary, probe, progress=progress).seen
    finally:
        probe.close()
    remove_baseline(work, progress=progress)


def withdraw(
    work: Work, content: Content, deployment: str, reason: str, *, by: str, facts: dict[str, str] | None = None
) -> None:
    """Write down that a version is out of the traffic again, in the ledger and as tags on it."""
    tag_model(work.client, content.model, {RELEASED_TAG: "withdrawn", REASON_TAG: reason})
    draft = Draft(
        action=Action.WITHDRAWN,
        by=by,
        model=str(content.model),
        sha256=content.sha256,
        reason=reason,
        endpoint=work.endpoint,
        deployment=deployment,
        facts=facts or {},
    )
    work.ledger.append(lambda _: draft)


def steps_left(steps: Sequence[int], share: int) -> tuple[int, ...]:
    """Return the steps that are still to be gone when the new version has `share`.

    The one that it is on is gone again: an interrupted release may not have watched it to its end.
    """
    return tuple(step for step in steps if step >= share)


def following(split: Split, steps: Sequence[int], *, broken: bool) -> Split:
    """Return the split that follows: the next step up, or everything back to the old version."""
    if broken:
        return Split(split.new, split.old, 0)
    return Split(split.new, split.old, next((step for step in steps if step > split.share), ALL), split.baseline)


def _gone(work: Work, content: Content, gone: _Step, probe: Probe, *, progress: Progress) -> Watched:
    """Move the traffic and watch; unless all limits are kept put it back, say why, and raise."""
    with progress.step(gone.name) as step:
        seen = step.done(_seen(step, work, gone, probe))
        if seen.verdict.state is not State.KEPT:
            _back(step, work, content, gone, seen, progress=progress)
        return seen


def _seen(step: Step, work: Work, gone: _Step, probe: Probe) -> Watched:
    split, declared = gone.split, work.declared
    mirror = {split.new: gone.mirror} if gone.mirror else {}
    share_traffic(step, work.client, work.endpoint, split.traffic, mirror=mirror, poll_s=work.poll_s)
    return watch(
        step,
        Watch(
            declared.limits,
            share=split.share,
            new=split.new,
            seconds=declared.seconds(work.settings),
            extra_seconds=declared.extra_seconds(work.settings),
            last=split.share == ALL,
            before=gone.before,
            compared=gone.compared,
        ),
        probe,
    )


def _back(step: Step, work: Work, content: Content, gone: _Step, seen: Watched, *, progress: Progress) -> NoReturn:
    work, split = work.way_back or work, gone.split
    back = following(split, (), broken=True)
    share_traffic(step, work.client, work.endpoint, back.traffic, mirror={}, poll_s=work.poll_s)
    remove_baseline(work, progress=progress)
    why = f"at {gone.name}: {'; '.join(seen.verdict.reasons)}"
    where = f"({seen.summary}); all traffic of {work.endpoint} is back on {split.old}"
    if seen.verdict.state is State.OPEN:
        raise CanaryUndecided(
            f"{content.model} came to no verdict {why} {where}; it is not withdrawn: release it again"
        )
    withdraw(work, content, split.new, why, by=work.owner.name, facts=_figures(split, seen.seen))
    raise CanaryBroken(f"{content.model} is withdrawn {why} {where}")


def _figures(split: Split, seen: Observation) -> dict[str, str]:
    told: dict[str, float] = {
        "share": split.share,
        "requests": seen.requests,
        "errors": seen.errors,
        "errors_before": seen.errors_beside,
        "predictions": seen.predictions,
        "different": seen.different,
    }
    for name, times in (("median_ms", seen.milliseconds), ("median_ms_before", seen.beside)):
        if times:
            told[name] = round(statistics.median(times), 2)
    return {name: f"{value:g}" for name, value in told.items()}
