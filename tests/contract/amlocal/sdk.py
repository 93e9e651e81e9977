"""The unmodified azure-ai-ml, imported without its own warnings, which this project does not answer for."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from azure.ai.ml import MLClient, entities
    from azure.ai.ml.entities._assets._artifacts.code import Code
from azure.core.credentials import AccessToken, TokenCredential
from azure.identity import DefaultAzureCredential

from amlocal.testing import LocalWorkspace

__all__ = ["AccessToken", "Code", "DefaultAzureCredential", "MLClient", "client_of", "entities"]


def client_of(workspace: LocalWorkspace, credential: TokenCredential | None = None) -> MLClient:
    """Return a client as a user would make it; the environment leads to `workspace`."""
    return MLClient(
        credential or DefaultAzureCredential(), workspace.subscription, workspace.resource_group, workspace.name
    )
