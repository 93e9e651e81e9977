"""The environment variables of a job: what Azure ML sets, and no more of this machine than a program needs."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from amlocal.core.context import Context
from amlocal.identity.routes import OBO_PATH

# What a program needs of the machine that it runs on. All else stays out: on Azure a job sees nothing of the
# shell that submitted it, and a job that passes here because of it would fail there.
_KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_\w+|"
    r"SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy|"
    r"PIP_\w+|UV_\w+|OMP_\w+|OPENBLAS_\w+|MKL_\w+|NVPL_\w+|CUDA_\w+|NVIDIA_\w+"
)


# Azure ML's default, AMLToken, is the job's own; the others are somebody who was given more.
_IDENTITIES = ("Managed", "UserIdentity")
_OF_THE_COMPUTE = "55555555-5555-5555-5555-555555555555"  # any id will do: the job's tokens depend on none


def declares_identity(properties: Mapping[str, Any]) -> bool:
    """Tell whether a job shall act as more than itself: its `identity` is the compute's, or the submitter's."""
    return (properties.get("identity") or {}).get("identityType") in _IDENTITIES


LOCALE: Mapping[str, str] = MappingProxyType({"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"})
"""As Azure ML's images have it (github.com/Azure/AzureML-Containers), whatever the terminal of this machine takes."""


def identity_environ(context: Context, properties: Mapping[str, Any], secret: str) -> dict[str, str]:
    """Return what tells a job's credentials whom it acts as: its submitter, or the managed identity of a compute.

    azure.ai.ml's AzureMLOnBehalfOfCredential reads the one, programs the other (learn.microsoft.com, "Set up
    authentication between Azure Machine Learning and other services").
    """
    identity = properties.get("identity") or {}
    if identity.get("identityType") == "UserIdentity":
        return {"OBO_ENDPOINT": f"{context.origin}{OBO_PATH}?identity={secret}"}
    if identity.get("identityType") == "Managed":
        return {"DEFAULT_IDENTITY_CLIENT_ID": identity.get("clientId") or _OF_THE_COMPUTE}
    return {}


def machine_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of the server's environment that jobs see."""
    return {name: value for name, value in environ.items() if _KEPT.fullmatch(name)}


def job_environ(context: Context, job: str, experiment: str, token: str) -> dict[str, str]:
    """Return what Azure ML tells a job about itself and about where it is tracked; `token` opens MLflow."""
    return {
        "AZUREML_ARM_PROJECT_NAME": experiment,
        "AZUREML_ARM_RESOURCEGROUP": context.identity.resource_group,
        "AZUREML_ARM_SUBSCRIPTION": context.identity.subscription,
        "AZUREML_ARM_WORKSPACE_NAME": context.identity.name,
        "AZUREML_RUN_ID": job,
        "AZUREML_ROOT_RUN_ID": job,
        "AZUREML_RUN_TOKEN": token,
        "MLFLOW_EXPERIMENT_NAME": experiment,
        "MLFLOW_RUN_ID": job,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_TRACKING_URI": f"{context.origin}/mlflow",
        "PYTHONUNBUFFERED": "1",
    }
