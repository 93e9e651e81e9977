"""The environment variables that lead an unmodified azure-ai-ml program to a local workspace."""

from amlocal.core.context import Identity
from amlocal.core.paths import Folder
from amlocal.identity.routes import CLOUD
from amlocal.identity.secrets import Secrets


def client_environ(origin: str, folder: Folder, identity: Identity, secrets: Secrets) -> dict[str, str]:
    """Return the variables, by name.

    The first five are the switch itself; AZURE_TOKEN_CREDENTIALS keeps DefaultAzureCredential from trying other
    identities first; the polling interval (whole seconds) paces `jobs.stream`; the rest says which workspace it is,
    under the names that Azure ML gives them in a job.
    """
    return {
        "AZUREML_CURRENT_CLOUD": CLOUD,
        "ARM_CLOUD_METADATA_URL": f"{origin}/metadata",
        "REQUESTS_CA_BUNDLE": str(folder.bundle),
        "IDENTITY_ENDPOINT": f"{origin}/msi/token",
        "IDENTITY_HEADER": secrets.identity,
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "AZUREML_RUN_POLLING_INTERVAL_MIN": "1",
        "AZUREML_RUN_POLLING_INTERVAL_MAX": "2",
        "AZUREML_ARM_SUBSCRIPTION": identity.subscription,
        "AZUREML_ARM_RESOURCEGROUP": identity.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": identity.name,
    }
