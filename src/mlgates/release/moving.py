"""How traffic is moved to a deployment that is up: tried without any, then step by step, watched, or back at once."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlgates.core.deployments import OnlineTrial
from mlgates.core.errors import CanaryBroken, CanaryUndecided
from mlgates.core.events import Steps
from mlgates.core.ledger import Action, Draft
from mlgates.core.steps import watched
from mlgates.delivery.gate_tags import tag_model
from mlgates.delivery.online import share_traffic
from mlgates.delivery.online_trial import try_online
from mlgates.delivery.operations import Outcome
from mlgates.delivery.released import RELEASED_TAG
from mlgates.release.baseline import remove_baseline
from mlgates.release.canary import Observation, Split, following, steps_left
from mlgates.release.declaration import ALL
from mlgates.release.probe import Probe
from mlgates.release.samples import Samples
from mlgates.release.subject import Content
from mlgates.release.verdicts import State
from mlgates.release.watching import Watch, Watched, watch
from mlgates.release.work import Work

REASON_TAG = "released.reason"
"""On a withdrawn model version: why."""


def smoke(work: Work, name: str) -> Steps[OnlineTrial]:
    """Send the sample to the deployment `name`, whatever the traffic. Raises `TrialFailed`."""
    trial = try_online(work.client, work.settings, deployment=name, reach=work.reach)
    return (yield from watched("smoke test", trial))


def all_to(work: Work, name: str | None) -> Steps[Outcome]:
    """Give one deployment all the traffic, or none to any, and mirror none."""
    traffic = {name: ALL} if name else {}
    return (
        yield from watched(
            "online traffic", share_traffic(work.client, work.endpoint, traffic, mirror={}, poll_s=work.poll_s)
        )
    )


def walk(
    work: Work, content: Content, split: Split, steps: Sequence[int], samples: Samples, *, compared: bool = True
) -> Steps[None]:
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
            step = _Step("mirror", split, seen, compared, mirror=percent)
            yield from watched(step.name, _gone(work, content, step, probe))
        for share in steps_left(steps, split.share):
            split = replace(split, share=share)
            step = _Step(f"canary {share} %", split, seen, compared)
            seen += (yield from watched(step.name, _gone(work, content, step, probe))).seen
    finally:
        probe.close()
    yield from remove_baseline(work)


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


def _gone(work: Work, content: Content, step: _Step, probe: Probe) -> Steps[Watched]:
    """Move the traffic and watch; unless all limits are kept put it back, say why, and raise."""
    split, declared = step.split, work.declared
    mirror = {split.new: step.mirror} if step.mirror else {}
    yield from share_traffic(
        work.client, work.endpoint, split.traffic, mirror=mirror, step=step.name, poll_s=work.poll_s
    )
    seen = yield from watch(
        Watch(
            step.name,
            declared.limits,
            share=split.share,
            new=split.new,
            seconds=declared.seconds(work.settings),
            extra_seconds=declared.extra_seconds(work.settings),
            last=split.share == ALL,
            before=step.before,
            compared=step.compared,
        ),
        probe,
    )
    if seen.verdict.state is State.KEPT:
        return seen
    work, back = work.way_back or work, following(split, (), broken=True)
    yield from share_traffic(work.client, work.endpoint, back.traffic, mirror={}, step=step.name, poll_s=work.poll_s)
    yield from remove_baseline(work)
    why = f"at {step.name}: {'; '.join(seen.verdict.reasons)}"
    where = f"({seen.summary}); all traffic of {work.endpoint} is back on {split.old}"
    if seen.verdict.state is State.OPEN:
        raise CanaryUndecided(
            f"{content.model} came to no verdict {why} {where}; it is not withdrawn: release it again"
        )
    withdraw(work, content, split.new, why, by=work.owner.name, facts=_figures(split, seen.seen))
    raise CanaryBroken(f"{content.model} is withdrawn {why} {where}")


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
