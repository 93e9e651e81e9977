"""The environment variables that lead an unmodified azure-ai-ml program to a local workspace."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from amlocal.core.context import Clock, Identity, system_clock
from amlocal.core.paths import WorkspaceFolder
from amlocal.identity.routes import CLOUD, ML_AUDIENCE
from amlocal.identity.secrets import Secrets
from amlocal.identity.tokens import Tokens

_HERE = ("127.0.0.1", "localhost")
_TOKEN_LIFETIME = timedelta(days=30)  # MLflow's client has no way to ask for another


def direct_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the `NO_PROXY` of `environ`, completed by this machine itself, in both of its spellings.

    Programs differ in which they look at, and in which they prefer, so both hold what either says. A lone `*` stays:
    it means that no proxy is ever asked.
    """
    said = [entry.strip() for name in ("no_proxy", "NO_PROXY") for entry in environ.get(name, "").split(",")]
    hosts = ["*"] if "*" in said else list(dict.fromkeys(filter(None, [*said, *_HERE])))
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(hosts))


def client_environ(
    origin: str,
    folder: WorkspaceFolder,
    identity: Identity,
    secrets: Secrets,
    *,
    clock: Clock = system_clock,
    environ: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the variables, by name; `environ` holds those of the program so far, of which `NO_PROXY` is completed.

    The first six are the switch itself (SSL_CERT_FILE for programs that do not ask by requests, as `az` and uv);
    AZURE_TOKEN_CREDENTIALS keeps DefaultAzureCredential from trying other identities first; the polling interval (whole
    seconds) paces `jobs.stream`; MLflow's token opens the tracking server at `workspaces.get().mlflow_tracking_uri` (on
    Azure the azureml-mlflow plug-in sees to that); the rest says which workspace it is, under the names that Azure ML
    gives them in a job.
    """
    token, _ = Tokens(secrets.signing, identity.guid, clock).issue(ML_AUDIENCE, lifetime=_TOKEN_LIFETIME)
    return switch_environ(origin, folder, identity) | {
        "IDENTITY_HEADER": secrets.identity,
        "MLFLOW_TRACKING_TOKEN": token,
        **direct_environ(environ or {}),
        **cli_environ(folder, environ or {}),
    }


def cli_environ(folder: WorkspaceFolder, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of azure-cli: its settings and log-ins are the workspace's own, its extensions the person's.

    In the person's folder `az` would note a cloud of the name "amlocal", and be broken outside this shell.
    """
    own = Path(environ.get("AZURE_CONFIG_DIR") or Path.home() / ".azure")
    return {
        "AZURE_CONFIG_DIR": str(folder.azure_cli),
        "AZURE_EXTENSION_DIR": environ.get("AZURE_EXTENSION_DIR") or str(own / "cliextensions"),
    }


def switch_environ(origin: str, folder: WorkspaceFolder, identity: Identity) -> dict[str, str]:
    """Return those of the variables that hold no secret: a job has secrets of its own."""
    return {
        "AZUREML_CURRENT_CLOUD": CLOUD,
        "ARM_CLOUD_METADATA_URL": f"{origin}/metadata",
        "REQUESTS_CA_BUNDLE": str(folder.bundle),
        "SSL_CERT_FILE": str(folder.bundle),
        "IDENTITY_ENDPOINT": f"{origin}/msi/token",
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "AZUREML_RUN_POLLING_INTERVAL_MIN": "1",
        "AZUREML_RUN_POLLING_INTERVAL_MAX": "2",
        "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{origin}/",  # else MLClient(registry_name=...) asks a host of no cloud
        "AZUREML_ARM_SUBSCRIPTION": identity.subscription,
        "AZUREML_ARM_RESOURCEGROUP": identity.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": identity.name,
    }
