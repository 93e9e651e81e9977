"""How environments and data become assets: read from their YAML files, and registered once for one content."""

import json
from collections.abc import Mapping
from pathlib import Path

from azure.ai.ml import MLClient, load_data, load_environment

# Private, and the way that Azure ML's own documentation gives for the download of a data asset: the SDK has no other.
from azure.ai.ml._artifacts._artifact_utilities import download_artifact_from_aml_uri
from azure.ai.ml.entities import Data, Environment

from mlgates.config.project import Project
from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.files import sha256_of_json, sha256_of_path
from mlgates.core.values import AssetVersion
from mlgates.delivery.sdk import find_version, load_declared, quiet_upload, translate_sdk_errors

CONTENT_TAG = "content_sha256"
"""Identifies an environment: the checksum of its definition."""
CHECKSUM_TAG = "sha256"
"""Identifies a data set that is a local file."""
SOURCE_TAG = "source_uri"
"""Identifies a data set that is a cloud URI: its content is not ours to read."""
HOW_TAG = "how_to_get"
"""In dataset.yml: what to do when the file is not there."""


def register_environment(client: MLClient, project: Project, name: str) -> AssetVersion:
    """Return the version of environment `name` with what train-env.yml declares; register it when none does."""
    environment = load_declared(load_environment, project, project.training / "train-env.yml", {"name": name})
    digest = sha256_of_json(_definition(environment))
    with translate_sdk_errors(f"register environment {name}"):
        known = find_version(lambda: client.environments.list(name=name), CONTENT_TAG, digest)
        if known:
            return known
        environment.tags = {**(environment.tags or {}), CONTENT_TAG: digest}
        saved = client.environments.create_or_update(environment)
    return AssetVersion(name, str(saved.version), created=True, tags=dict(saved.tags or {}))


def register_data(client: MLClient, project: Project, name: str, *, instead: Path | None = None) -> AssetVersion:
    """Return the version of data asset `name` with what dataset.yml declares; register it when none does.

    A local path, or the file `instead` of it, is known by its sha256, a cloud URI by itself.
    Raises `AssetMissing` when the local path does not exist.
    """
    over = {"name": name} | ({"path": str(instead.resolve())} if instead else {})
    data = load_declared(load_data, project, project.training / "dataset.yml", over)
    how = (data.tags or {}).pop(HOW_TAG, "fetch or make it (README)")
    identity = _identity(data, project, "name another file" if instead else how)
    with translate_sdk_errors(f"register data {name}"):
        known = find_version(lambda: client.data.list(name=name), *next(iter(identity.items())))
        if known:
            return known
        data.tags = {**(data.tags or {}), **identity}
        with quiet_upload():
            saved = client.data.create_or_update(data)
    return AssetVersion(name, str(saved.version), created=True, tags=dict(saved.tags or {}))


def download_data(client: MLClient, reference: str, folder: Path) -> Path:
    """Download a data asset, `name:version`, that is one file; return the file. Raises `AssetMissing`."""
    found = download_table(client, reference, folder)
    if found == folder:
        raise AssetMissing(f"data {reference} is several files, and one is needed")
    return found


def download_table(client: MLClient, reference: str, folder: Path) -> Path:
    """Download a data asset, `name:version`; return its file, or `folder` when it is several. Raises `AssetMissing`."""
    name, _, version = reference.partition(":")
    with translate_sdk_errors(f"download data {reference}"):
        data = client.data.get(name, version)
        download_artifact_from_aml_uri(str(data.path), str(folder), client.datastores)
    files = [file for file in folder.rglob("*") if file.is_file()]
    if not files:
        raise AssetMissing(f"data {reference} has no files")
    return files[0] if len(files) == 1 else folder


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


def _identity(data: Data, project: Project, how_to_get: str) -> dict[str, str]:
    """Return the tags that identify this content, the decisive one first."""
    path = str(data.path)
    if "://" in path or path.startswith("azureml:"):
        return {SOURCE_TAG: path}
    local = Path(path)
    if not local.exists():
        raise AssetMissing(f"{project.shown(local)}, which is to be the training data, is not there: {how_to_get}")
    digest = sha256_of_path(local)
    return {CHECKSUM_TAG: digest, **_origin(local, digest, project)}


def _origin(file: Path, digest: str, project: Project) -> dict[str, str]:
    """Return what `<stem>.origin.json` beside the data says of its origin.

    Nothing without such a file, or when it is about other content.
    """
    record = file.with_name(f"{file.stem}.origin.json")
    if not record.is_file():
        return {}
    try:
        facts = {str(key): str(value) for key, value in json.loads(record.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(f"{project.shown(record)} must be a JSON object ({error}): delete it") from error
    return facts if facts.get(CHECKSUM_TAG, digest) == digest else {}
