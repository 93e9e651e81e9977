"""How a model version comes to score files at the batch endpoint."""

from azure.ai.ml import MLClient, load_batch_deployment, load_batch_endpoint
from azure.ai.ml.entities import BatchDeployment, BatchEndpoint
from azure.core.polling import LROPoller

from mlgates.config.settings import Settings
from mlgates.core.deployments import Deployment, EndpointKind
from mlgates.core.errors import DeploymentFailed, WorkspaceRefused
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion
from mlgates.delivery.declared import load_declared
from mlgates.delivery.operations import Change, OperationResult, create_or_update, run_operation
from mlgates.delivery.refusals import translate_sdk_errors


def deploy_batch(
    client: MLClient, settings: Settings, model: AssetVersion, *, poll_s: float, progress: Progress
) -> Deployment:
    """Bring endpoint and deployment to what mlops/deploy/batch declares, with exactly `model`, and make it the default.

    Raises `DeploymentFailed` when the deployment is refused.
    """
    name = settings.batch_deployment_name
    batch_endpoint(client, settings, poll_s=poll_s, progress=progress)
    deployment = batch_deployment(client, settings, model, name, poll_s=poll_s, progress=progress)
    make_default(client, deployment.endpoint, name, poll_s=poll_s, progress=progress)
    return deployment


def batch_endpoint(client: MLClient, settings: Settings, *, poll_s: float, progress: Progress) -> OperationResult:
    """Bring the endpoint to what batch-endpoint.yml declares; its default stays as it is."""
    name = settings.batch_endpoint
    file = settings.project.batch / "batch-endpoint.yml"

    def put(endpoint: BatchEndpoint, held: BatchEndpoint | None) -> "LROPoller[BatchEndpoint]":
        if held is not None:  # an update replaces the default, which the file does not declare
            endpoint.defaults = held.defaults
        begun: LROPoller[BatchEndpoint] = client.batch_endpoints.begin_create_or_update(endpoint)
        return begun

    with progress.step("batch endpoint") as step:
        wanted: BatchEndpoint = load_declared(load_batch_endpoint, settings.project, file, {"name": name})
        return step.done(create_or_update(step, wanted, lambda: client.batch_endpoints.get(name), put, poll_s=poll_s))


def batch_deployment(
    client: MLClient, settings: Settings, model: AssetVersion, name: str, *, poll_s: float, progress: Progress
) -> Deployment:
    """Bring the deployment `name` to what batch-deployment.yml declares, with exactly `model`.

    Raises `DeploymentFailed` when it is refused.
    """
    endpoint = settings.batch_endpoint
    file = settings.project.batch / "batch-deployment.yml"
    over = {"name": name, "endpoint_name": endpoint, "model": model.reference}
    with progress.step("batch deployment") as step:
        wanted: BatchDeployment = load_declared(load_batch_deployment, settings.project, file, over)
        try:
            outcome = create_or_update(
                step,
                wanted,
                lambda: client.batch_deployments.get(name, endpoint),
                lambda deployment, _: client.batch_deployments.begin_create_or_update(deployment),
                poll_s=poll_s,
            )
        except WorkspaceRefused as error:
            raise DeploymentFailed(str(error)) from error
        with translate_sdk_errors(f"look up endpoint {endpoint}"):
            uri = str(client.batch_endpoints.get(endpoint).scoring_uri)
        created = outcome.change is not Change.KEPT
        return step.done(Deployment(EndpointKind.BATCH, endpoint, name, str(model), uri, created=created))


def make_default(
    client: MLClient, endpoint_name: str, name: str, *, poll_s: float, progress: Progress
) -> OperationResult:
    """Make the deployment `name` the one that scores when none is named."""
    with progress.step("batch default") as step:
        with translate_sdk_errors(f"look up endpoint {endpoint_name}"):
            endpoint = client.batch_endpoints.get(endpoint_name)
        if default_of(endpoint) == name:
            return step.done(OperationResult(name, Change.KEPT))
        endpoint.defaults = {"deployment_name": name}
        run_operation(step, lambda: client.batch_endpoints.begin_create_or_update(endpoint), poll_s=poll_s)
        return step.done(OperationResult(name, Change.UPDATED))


def default_of(endpoint: BatchEndpoint) -> str | None:
    """Return the name of the deployment that scores when none is named, or None."""
    defaults = endpoint.defaults
    name = defaults.get("deployment_name") if isinstance(defaults, dict) else getattr(defaults, "deployment_name", None)
    return str(name) if name else None
