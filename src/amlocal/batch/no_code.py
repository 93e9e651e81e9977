"""The environment of an MLflow model that is deployed without one: made from the model's own requirements."""

import hashlib

from amlocal.assets.lookup import AssetLookup
from amlocal.assets.store import AssetStore
from amlocal.blobs import BlobStore
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.yaml_decoding import MAX_YAML
from amlocal.datastores.store import Location

# What Azure ML puts such models on; here it is a name only, and what counts is the conda file.
_IMAGE = "mcr.microsoft.com/azureml/mlflow-ubuntu20.04-py38-cpu-inference:latest"
_CONDA = "conda.yaml"


class ModelEnvironments:
    """Makes environments of models, anonymous ones that no list shows."""

    def __init__(self, blobs: BlobStore, environments: AssetStore, lookup: AssetLookup) -> None:
        self._blobs = blobs
        self._environments = environments
        self._lookup = lookup

    def of(self, model: Document) -> str:
        """Return the reference of a model's environment, made when it is asked for first.

        Raises `BadRequest` for a model that is not MLflow's, or that lacks its requirements.
        """
        kind = model.body["properties"]["modelType"]
        if kind != "mlflow_model":
            raise BadRequest(
                f"Model {model.name}:{model.version} is a {kind}: a deployment of it needs a code_configuration and an "
                "environment. Only an mlflow_model is deployed without."
            )
        conda = self._read(model, _CONDA)
        name, version = f"mlflow-{model.name}"[:255], hashlib.sha256(conda.encode()).hexdigest()
        if not self._environments.has(name, version):
            self._environments.put(name, version, {"image": _IMAGE, "condaFile": conda, "isAnonymous": True})
        return f"azureml:{name}:{version}"

    def _read(self, model: Document, file: str) -> str:
        place = self._lookup.locate(model.body["properties"]["modelUri"])
        if isinstance(place, Location) and (blob := self._blobs.get(place.container, f"{place.path}/{file}")):
            if blob.size > MAX_YAML:
                raise BadRequest(f"The {file} of model {model.name}:{model.version} is longer than {MAX_YAML} bytes.")
            try:
                return b"".join(self._blobs.read(blob)).decode()
            except UnicodeDecodeError as error:
                raise BadRequest(f"The {file} of model {model.name}:{model.version} is not UTF-8.") from error
        raise BadRequest(
            f"Model {model.name}:{model.version} has no {file}, which says what it needs to run. Save it with MLflow, "
            "or deploy it with an environment and a scoring script."
        )
