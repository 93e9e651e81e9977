"""How traffic is shifted to a deployment that is up: tried without any, then step by step, monitored, or reverted."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from mlgates.core.errors import CanaryFailed, CanaryUndecided
from mlgates.core.ledger import Action, Draft
from mlgates.core.progress import Progress, Step
from mlgates.core.values import ModelArtifact, OnlineSmokeTest
from mlgates.delivery.models import RELEASED_TAG, tag_model
from mlgates.delivery.online import share_traffic, smoke_test_online
from mlgates.delivery.operations import OperationResult
from mlgates.release.blue_green import remove_baseline
from mlgates.release.canary import CanaryState, WatchPlan, WatchResult, watch
from mlgates.release.canary_statistics import Observation
from mlgates.release.context import ReleaseContext
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
class TrafficStep:
    """A step of a traffic shift."""

    name: str
    split: Split
    before: Observation
    """What was seen at the steps before, since the new version has had traffic."""
    compared: bool
    mirror: int = 0
    """Percent of the traffic that is copied to the new version."""


def smoke_test(context: ReleaseContext, name: str, *, progress: Progress) -> OnlineSmokeTest:
    """Send the sample to the deployment `name`, whatever the traffic. Raises `EndpointTestFailed`."""
    trial = partial(smoke_test_online, context.client, context.settings, deployment=name, reach=context.reach)
    return progress.run("smoke test", trial)


def route_all_to(context: ReleaseContext, name: str | None, *, progress: Progress) -> OperationResult:
    """Give one deployment all the traffic, or none to any, and mirror none."""
    traffic = {name: ALL} if name else {}
    with progress.step("online traffic") as step:
        return step.done(
            share_traffic(step, context.client, context.endpoint, traffic, mirror={}, poll_s=context.poll_s)
        )


def shift_traffic(
    context: ReleaseContext,
    artifact: ModelArtifact,
    split: Split,
    steps: Sequence[int],
    samples: Samples,
    *,
    compared: bool = True,
    progress: Progress,
) -> None:
    """Move the traffic of `split` along `steps` to the new version, each step monitored with `samples`.

    Unless it has to be `compared`, the new version is judged alone when the old one does not answer.
    Raises `CanaryFailed` with reason and figures once a limit is broken, the traffic is back and the version withdrawn;
    `CanaryUndecided` when a step has come to no verdict, and the traffic is back.
    """
    tolerance = context.declared.limits.tolerance
    probe = Probe(
        context.client,
        context.settings,
        samples,
        new=split.new,
        old=split.beside,
        tolerance=tolerance,
        open_=context.reach,
    )
    seen = Observation()
    try:
        if (percent := context.declared.canary.mirror) and split.share == 0:
            apply_step(
                context,
                artifact,
                TrafficStep("mirror", split, seen, compared, mirror=percent),
                probe,
                progress=progress,
            )
        for share in steps_left(steps, split.share):
            split = replace(split, share=share)
            canary = TrafficStep(f"canary {share} %", split, seen, compared)
            seen += apply_step(context, artifact, canary, probe, progress=progress).seen
    finally:
        probe.close()
    remove_baseline(context, progress=progress)


def withdraw(
    context: ReleaseContext,
    artifact: ModelArtifact,
    deployment: str,
    reason: str,
    *,
    by: str,
    facts: dict[str, str] | None = None,
) -> None:
    """Write down that a version is out of the traffic again, in the ledger and as tags on it."""
    tag_model(context.client, artifact.asset, {RELEASED_TAG: "withdrawn", REASON_TAG: reason})
    draft = Draft(
        action=Action.WITHDRAWN,
        by=by,
        model=artifact.model,
        sha256=artifact.sha256,
        reason=reason,
        endpoint=context.endpoint,
        deployment=deployment,
        facts=facts or {},
    )
    context.ledger.append(lambda _: draft)


def steps_left(steps: Sequence[int], share: int) -> tuple[int, ...]:
    """Return the steps that are left when the new version has `share`.

    The present one is repeated: an interrupted release may not have monitored it to its end.
    """
    return tuple(step for step in steps if step >= share)


def next_split(split: Split, steps: Sequence[int], *, broken: bool) -> Split:
    """Return the split that follows: the next step up, or everything back to the old version."""
    if broken:
        return Split(split.new, split.old, 0)
    return Split(split.new, split.old, next((step for step in steps if step > split.share), ALL), split.baseline)


def apply_step(
    context: ReleaseContext, artifact: ModelArtifact, planned: TrafficStep, probe: Probe, *, progress: Progress
) -> WatchResult:
    """Move the traffic and monitor it; unless all limits are kept put it back, say why, and raise."""
    split = planned.split
    mirror = {split.new: planned.mirror} if planned.mirror else {}
    with progress.step(planned.name) as step:
        share_traffic(step, context.client, context.endpoint, split.traffic, mirror=mirror, poll_s=context.poll_s)
        seen = step.done(monitor_step(step, context, planned, probe))
        if seen.verdict.state is not CanaryState.KEPT:
            _revert(step, context, artifact, planned, seen, progress=progress)
        return seen


def monitor_step(step: Step, context: ReleaseContext, planned: TrafficStep, probe: Probe) -> WatchResult:
    """Watch a step for as long as release.yml declares; return what was seen, and what that says."""
    split, declared = planned.split, context.declared
    return watch(
        step,
        WatchPlan(
            declared.limits,
            share=split.share,
            new=split.new,
            seconds=declared.seconds(context.settings),
            extra_seconds=declared.extra_seconds(context.settings),
            last=split.share == ALL,
            before=planned.before,
            compared=planned.compared,
        ),
        probe,
    )


def _revert(
    step: Step,
    context: ReleaseContext,
    artifact: ModelArtifact,
    planned: TrafficStep,
    seen: WatchResult,
    *,
    progress: Progress,
) -> NoReturn:
    context, split = context.for_undo or context, planned.split
    back = next_split(split, (), broken=True)
    share_traffic(step, context.client, context.endpoint, back.traffic, mirror={}, poll_s=context.poll_s)
    remove_baseline(context, progress=progress)
    why = f"at {planned.name}: {'; '.join(seen.verdict.reasons)}"
    where = f"({seen.summary}); all traffic of {context.endpoint} is back on {split.old}"
    if seen.verdict.state is CanaryState.OPEN:
        raise CanaryUndecided(
            f"{artifact.model} came to no verdict {why} {where}; it is not withdrawn: release it again"
        )
    withdraw(context, artifact, split.new, why, by=context.owner.name, facts=_figures(split, seen.seen))
    raise CanaryFailed(f"{artifact.model} is withdrawn {why} {where}")


def _figures(split: Split, seen: Observation) -> dict[str, str]:
    figures: dict[str, float] = {
        "share": split.share,
        "requests": seen.requests,
        "errors": seen.errors,
        "errors_before": seen.errors_beside,
        "predictions": seen.predictions,
        "different": seen.different,
    }
    for name, times in (("median_ms", seen.milliseconds), ("median_ms_before", seen.beside)):
        if times:
            figures[name] = round(statistics.median(times), 2)
    return {name: f"{value:g}" for name, value in figures.items()}
