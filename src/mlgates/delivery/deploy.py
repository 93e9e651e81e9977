"""The runs of deployment: both endpoints side by side, each tested as soon as it is up."""

from collections.abc import Callable, Collection, Mapping
from functools import partial

from azure.ai.ml import MLClient

from mlgates.config.settings import Settings, Target
from mlgates.core.deployments import BatchSmokeTest, Delivered, Deployment, EndpointKind, OnlineSmokeTest
from mlgates.core.errors import AssetMissing
from mlgates.core.progress import Progress
from mlgates.core.side_by_side import side_by_side
from mlgates.core.values import AssetVersion
from mlgates.delivery.batch import deploy_batch
from mlgates.delivery.batch_trial import smoke_test_batch
from mlgates.delivery.candidates import find_model
from mlgates.delivery.online import deploy_online
from mlgates.delivery.online_trial import smoke_test_online

# Azure's limits on requests count for a whole subscription; a local workspace is ours alone.
_LOCAL_POLL_S, _AZURE_POLL_S = 0.25, 5.0


def poll_seconds(settings: Settings) -> float:
    """Return how often what is under way in a workspace may be asked after, in seconds."""
    return _AZURE_POLL_S if settings.target is Target.AZURE else _LOCAL_POLL_S


def deploy(
    client: MLClient,
    settings: Settings,
    kinds: Collection[EndpointKind],
    *,
    version: str | None,
    smoke_test: bool,
    progress: Progress,
) -> Mapping[EndpointKind, Delivered]:
    """Deploy one model version, by default the newest, to the endpoints of `kinds`; test each if `smoke_test`."""
    model = progress.run("model", lambda: _registered(find_model(client, settings, version)))

    def one(kind: EndpointKind, progress: Progress) -> Delivered:
        deployment = _DEPLOY[kind](client, settings, model, poll_s=poll_seconds(settings), progress=progress)
        return Delivered(deployment, _smoke_test(client, settings, kind, progress) if smoke_test else None)

    results = side_by_side({str(kind): partial(one, kind) for kind in kinds}, progress=progress)
    return {kind: results[str(kind)] for kind in kinds}


def smoke_test_endpoints(
    client: MLClient, settings: Settings, kinds: Collection[EndpointKind], *, progress: Progress
) -> Mapping[EndpointKind, OnlineSmokeTest | BatchSmokeTest]:
    """Run the smoke tests of the endpoints of `kinds`: their samples are scored."""
    results = side_by_side(
        {str(kind): partial(_smoke_test, client, settings, kind) for kind in kinds}, progress=progress
    )
    return {kind: results[str(kind)] for kind in kinds}


def _registered(model: AssetVersion) -> AssetVersion:
    if model.unregistered_job:
        raise AssetMissing(f"{model} is not registered: run 'mlgates register --job {model.unregistered_job}' first")
    return model


def _smoke_test(
    client: MLClient, settings: Settings, kind: EndpointKind, progress: Progress
) -> OnlineSmokeTest | BatchSmokeTest:
    if kind is EndpointKind.ONLINE:
        return progress.run("online test", lambda: smoke_test_online(client, settings))
    return smoke_test_batch(client, settings, poll_s=poll_seconds(settings), progress=progress)


_DEPLOY: Mapping[EndpointKind, Callable[..., Deployment]] = {
    EndpointKind.ONLINE: deploy_online,
    EndpointKind.BATCH: deploy_batch,
}
