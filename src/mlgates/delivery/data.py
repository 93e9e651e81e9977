"""How the training data becomes an asset: one version for one content, and its origin told with it."""

import json
from pathlib import Path

from azure.ai.ml import MLClient, load_data
from azure.ai.ml.entities import Data

from mlgates.config.project import Project
from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.files import sha256_of_path
from mlgates.core.values import AssetVersion
from mlgates.delivery.content import find_version
from mlgates.delivery.declared import load_declared
from mlgates.delivery.quiet import quiet_upload
from mlgates.delivery.refusals import translate_sdk_errors

CHECKSUM_TAG = "sha256"
SOURCE_TAG = "source_uri"
"""Identifies a data set that is a cloud URI: its content is not ours to read."""
HOW_TAG = "how_to_get"
"""In dataset.yml: what to do when the file is not there."""


def register_data(client: MLClient, project: Project, name: str, *, instead: Path | None = None) -> AssetVersion:
    """Return the version of data asset `name` that holds what dataset.yml declares; register it when none does.

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


def _identity(data: Data, project: Project, how_to_get: str) -> dict[str, str]:
    """Return the tags that tell this content from other content, the telling one first."""
    path = str(data.path)
    if "://" in path or path.startswith("azureml:"):
        return {SOURCE_TAG: path}
    local = Path(path)
    if not local.exists():
        raise AssetMissing(f"{project.shown(local)}, which is to be the training data, is not there: {how_to_get}")
    digest = sha256_of_path(local)
    return {CHECKSUM_TAG: digest, **_origin(local, digest, project)}


def _origin(file: Path, digest: str, project: Project) -> dict[str, str]:
    """Return what `<stem>.origin.json` beside the data tells of where it comes from.

    Nothing without such a file, or when it tells of other content than this.
    """
    record = file.with_name(f"{file.stem}.origin.json")
    if not record.is_file():
        return {}
    try:
        facts = {str(key): str(value) for key, value in json.loads(record.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(f"{project.shown(record)} must be a JSON object ({error}): delete it") from error
    return facts if facts.get(CHECKSUM_TAG, digest) == digest else {}
