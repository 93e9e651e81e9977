"""Models served by a local workspace, deployed as a user would deploy them: through azure-ai-ml alone."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from amlocal.testing import LocalWorkspace, local_workspace, use
from mlgates.endpoint_client import Address, EndpointClient

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

ENDPOINT = "contract"


@dataclass
class LocalEndpoint:
    """An online endpoint of a workspace of its own; each model is a deployment of it, and asked by name."""

    workspace: LocalWorkspace
    client: "MLClient"
    uri: str
    key: str
    _scorers: dict[str, EndpointClient] = field(default_factory=dict)

    def deploy(self, models: Mapping[str, Path]) -> None:
        """Register and deploy each folder under its name, side by side; return when all of them serve."""
        from azure.ai.ml.entities import ManagedOnlineDeployment, Model  # noqa: PLC0415 - takes seconds

        with use(self.workspace):
            pollers = []
            for name, folder in models.items():
                model = Model(name=name, version="1", path=str(folder), type="mlflow_model")
                self.client.models.create_or_update(model)
                deployment = ManagedOnlineDeployment(
                    name=name,
                    endpoint_name=ENDPOINT,
                    model=f"azureml:{name}:1",
                    instance_type="Standard_E2s_v3",
                    instance_count=1,
                )
                pollers.append(self.client.online_deployments.begin_create_or_update(deployment))
            for poller in pollers:
                poller.result()

    def scorer(self, deployment: str) -> EndpointClient:
        """Return what asks the model that was deployed under this name, always the same."""
        if deployment not in self._scorers:
            with use(self.workspace):
                self._scorers[deployment] = EndpointClient(Address(self.uri, self.key, deployment))
        return self._scorers[deployment]

    def close(self) -> None:
        """Close the connections."""
        for scorer in self._scorers.values():
            scorer.close()


@contextmanager
def local_endpoint(root: Path) -> Iterator[LocalEndpoint]:
    """Start a workspace with an endpoint that has no deployment yet, yield it, stop it."""
    with local_workspace(root) as workspace:
        with use(workspace):
            from azure.ai.ml import MLClient  # noqa: PLC0415 - it reads the workspace's variables
            from azure.ai.ml.entities import ManagedOnlineEndpoint  # noqa: PLC0415
            from azure.identity import DefaultAzureCredential  # noqa: PLC0415

            names = (workspace.subscription, workspace.resource_group, workspace.name)
            client = MLClient(DefaultAzureCredential(), *names, show_progress=False)
            made = client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=ENDPOINT)).result()
            key = str(client.online_endpoints.get_keys(ENDPOINT).primary_key)
        endpoint = LocalEndpoint(workspace, client, str(made.scoring_uri), key)
        try:
            yield endpoint
        finally:
            endpoint.close()
