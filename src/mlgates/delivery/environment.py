"""How the training environment becomes an asset: one version for one definition."""

from collections.abc import Mapping
from pathlib import Path

from azure.ai.ml import MLClient, load_environment
from azure.ai.ml.entities import Environment

from mlgates.config.project import Project
from mlgates.core.files import sha256_of_json, sha256_of_path
from mlgates.core.values import AssetVersion
from mlgates.delivery.content import find_version
from mlgates.delivery.declared import load_declared
from mlgates.delivery.refusals import translate_sdk_errors

CONTENT_TAG = "content_sha256"


def register_environment(client: MLClient, project: Project, name: str) -> AssetVersion:
    """Return the version of environment `name` that holds what train-env.yml declares; register it when none does."""
    environment = load_declared(load_environment, project, project.training / "train-env.yml", {"name": name})
    digest = sha256_of_json(_definition(environment))
    with translate_sdk_errors(f"register environment {name}"):
        known = find_version(lambda: client.environments.list(name=name), CONTENT_TAG, digest)
        if known:
            return known
        environment.tags = {**(environment.tags or {}), CONTENT_TAG: digest}
        saved = client.environments.create_or_update(environment)
    return AssetVersion(name, str(saved.version), created=True, tags=dict(saved.tags or {}))


def _definition(environment: Environment) -> Mapping[str, object]:
    """Return what decides how jobs run, and nothing that merely describes."""
    build = environment.build
    context = (
        sha256_of_path(Path(environment.path)) if environment.path else build and build.path
    )  # a folder here, or a URL
    return {
        "image": environment.image,
        "conda": environment.conda_file,
        "dockerfile": build and build.dockerfile_path,
        "context": context,
        "os": environment.os_type,
    }
