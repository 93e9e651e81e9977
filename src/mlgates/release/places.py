"""Blue and green: which deployment of an endpoint serves, and which name is free for the next."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlgates.core.errors import AssetMissing
from mlgates.delivery.serving import BatchServing, OnlineServing, served_model
from mlgates.release.rules import Served

if TYPE_CHECKING:
    from azure.ai.ml.entities import BatchDeployment, OnlineDeployment

SLOTS = ("blue", "green")
"""The deployments of a release, by turns. A deployment of another name is left alone, and serves until the first."""
BASELINE = "canary-baseline"
"""A fresh deployment of the version that serves, for as long as a canary goes on; never one that serves by right."""


def models_of(serving: OnlineServing | BatchServing) -> dict[str, str | None]:
    """Return what each deployment serves, `classifier:3`; None for what is no registered model."""
    return {name: _model(deployment) for name, deployment in serving.deployments.items()}


def live_name(
    model: str, models: Mapping[str, str | None], shares: Mapping[str, int], stack: Sequence[Served]
) -> str | None:
    """Return the deployment that serves by right beside the release of `model`, None when there is none.

    That is the last one released; when the ledger tells of none that is still there, the one with most traffic that
    serves another model. `models` is what each deployment serves, `shares` the traffic, the largest first.
    """
    last = stack[-1] if stack else None
    if last is not None and models.get(last.deployment) == last.model:
        return last.deployment
    return next((name for name in shares if name != BASELINE and models.get(name) != model), None)


def place_for(model: str, models: Mapping[str, str | None], live: str | None) -> str:
    """Return the name to deploy `model` under: where it is already, beside `live`, or the first that is free."""
    free = [name for name in SLOTS if name != live]
    return next((name for name in free if models.get(name) == model), next(iter(_empty(free, models)), free[0]))


def _empty(names: Sequence[str], models: Mapping[str, str | None]) -> list[str]:
    return [name for name in names if name not in models]


def _model(deployment: "OnlineDeployment | BatchDeployment") -> str | None:
    try:
        return str(served_model(deployment))
    except AssetMissing:
        return None
