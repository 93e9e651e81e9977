"""How traffic is moved to a deployment that is up: tried without any, then step by step, watched, or back at once."""

import statistics
from collections.abc import Sequence

from mlgates.core.deployments import OnlineTrial
from mlgates.core.errors import CanaryBroken
from mlgates.core.events import Steps
from mlgates.core.ledger import Action, Draft
from mlgates.core.steps import watched
from mlgates.delivery.gate_tags import tag_model
from mlgates.delivery.online import share_traffic
from mlgates.delivery.online_trial import try_online
from mlgates.delivery.operations import Outcome
from mlgates.delivery.released import RELEASED_TAG
from mlgates.release.canary import Observation, Split, broken_limits, following, steps_left
from mlgates.release.declaration import ALL
from mlgates.release.probe import Probe, watch
from mlgates.release.subject import Content
from mlgates.release.work import Work

REASON_TAG = "released.reason"
"""On a withdrawn model version: why."""


def smoke(work: Work, name: str) -> Steps[OnlineTrial]:
    """Send the sample to the deployment `name`, whatever the traffic. Raises `TrialFailed`."""
    trial = try_online(work.client, work.settings, deployment=name, reach=work.reach)
    return (yield from watched("smoke test", trial))


def all_to(work: Work, name: str) -> Steps[Outcome]:
    """Give one deployment all the traffic, and mirror none."""
    return (
        yield from watched(
            "online traffic", share_traffic(work.client, work.endpoint, {name: ALL}, mirror={}, poll_s=work.poll_s)
        )
    )


def walk(work: Work, content: Content, split: Split, steps: Sequence[int]) -> Steps[None]:
    """Move the traffic of `split` along `steps` to the new version, each step watched.

    Raises `CanaryBroken` with reason and figures once a limit is broken, the traffic is back and the version withdrawn.
    """
    probe = Probe(work.client, work.settings, new=split.new, old=split.old, open_=work.reach)
    try:
        if (percent := work.declared.canary.mirror) and split.share == 0:
            yield from watched("mirror", _mirrored(work, content, split, probe, percent))
        for share in steps_left(steps, split.share):
            split = Split(split.new, split.old, share)
            yield from watched(f"canary {share} %", _gone(work, content, split, probe))
    finally:
        probe.close()


def _mirrored(work: Work, content: Content, split: Split, probe: Probe, percent: int) -> Steps[Observation]:
    mirror = {split.new: percent}
    yield from share_traffic(
        work.client, work.endpoint, split.traffic, mirror=mirror, step="mirror", poll_s=work.poll_s
    )
    return (yield from _kept(work, content, split, probe, "mirror"))


def _gone(work: Work, content: Content, split: Split, probe: Probe) -> Steps[Observation]:
    name = f"canary {split.share} %"
    yield from share_traffic(work.client, work.endpoint, split.traffic, mirror={}, step=name, poll_s=work.poll_s)
    return (yield from _kept(work, content, split, probe, name))


def _kept(work: Work, content: Content, split: Split, probe: Probe, name: str) -> Steps[Observation]:
    """Watch a step; when a limit is broken put the traffic back, write it down and raise `CanaryBroken`."""
    limits = work.declared.limits
    seen = yield from watch(name, probe, limits, seconds=work.declared.seconds(work.settings))
    reasons = broken_limits(seen, limits)
    if reasons:
        back = following(split, (), broken=True)
        yield from share_traffic(work.client, work.endpoint, back.traffic, mirror={}, step=name, poll_s=work.poll_s)
        why = f"at {name}: {'; '.join(reasons)}"
        withdraw(work, content, split.new, why, by=work.owner.name, facts=_figures(split, seen))
        raise CanaryBroken(
            f"{content.model} is withdrawn {why} ({seen.summary}); "
            f"all traffic of {work.endpoint} is back on {split.old}"
        )
    return seen


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
        "predictions": seen.predictions,
        "different": seen.different,
    }
    for name, times in (("median_ms", seen.milliseconds), ("median_ms_before", seen.beside)):
        if times:
            told[name] = round(statistics.median(times), 2)
    return {name: f"{value:g}" for name, value in told.items()}
