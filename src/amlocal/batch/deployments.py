"""What a client sends to create a batch deployment: assets, scoring settings, the environment of an MLflow model."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amlocal.assets.lookup import AssetLookup
from amlocal.assets.store import AssetStore
from amlocal.batch.store import own_properties
from amlocal.blobs import BlobStore
from amlocal.core.context import Identity
from amlocal.core.decoding import Sent, count, mapping, seconds, text
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.unserved import not_served
from amlocal.core.uris import own_reference
from amlocal.core.yaml_decoding import MAX_YAML
from amlocal.datastores.store import Location
from amlocal.jobs.store import SERVERLESS, compute_name
from amlocal.jobs.submission import accept_variables

_ACTIONS = ("AppendRow", "SummaryOnly")
_LEVELS = ("Info", "Warning", "Debug")
_FILE_NAME = re.compile(r"[^/\0]{1,255}")
DEFAULTS: Mapping[str, Any] = {
    "miniBatchSize": 10,
    "errorThreshold": -1,
    "outputFileName": "predictions.csv",
    "retrySettings": {"maxRetries": 3, "timeout": "PT30S"},
}
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


@dataclass(frozen=True, slots=True)
class DeploymentRules:
    """Accepts deployments. `has_compute` says whether the workspace has a compute of that name.

    With `lenient`, a call may name a folder for its output, which Azure refuses.
    """

    here: Identity
    lookup: AssetLookup
    environments: ModelEnvironments
    has_compute: Callable[[str], bool]
    lenient: bool = False

    def accept(self, sent: Sent) -> dict[str, Any]:
        """Return the properties of a deployment as they are kept.

        Raises `BadRequest` for what cannot score, `NotFound` for an asset that is not here, 501 for deployments of
        pipeline components.
        """
        if (mapping(sent, "deploymentConfiguration").get("deploymentConfigurationType") or "Model") != "Model":
            raise not_served("Batch deployments of pipeline components")
        model = self._model(mapping(sent, "model"))
        code, environment = self._code(mapping(sent, "codeConfiguration")), text(sent, "environmentId")
        if environment:
            self.lookup.environment(environment)
        if code and environment is None:
            raise BadRequest("A deployment with a scoring script must name the environment that the script runs in.")
        if code is None:
            # Made now, so that a model which cannot be deployed is refused here and not by its first job.
            self.environments.of(model)
        return accept_settings(sent) | {
            "description": text(sent, "description"),
            "properties": own_properties(sent),
            "environmentVariables": accept_variables(sent),
            "model": mapping(sent, "model"),
            "compute": self._compute(text(sent, "compute")),
            "environmentId": environment,
            "codeConfiguration": code,
        }

    def model(self, deployment: Document) -> Document:
        """Return the model of a deployment. Raises `NotFound` when it was deleted since."""
        return self._model(deployment.body["properties"]["model"])

    def _model(self, reference: Sent) -> Document:
        asset = text(reference, "assetId")
        if asset is None:
            raise BadRequest("A batch deployment needs a registered model, by its id.")
        return self.lookup.model(asset)

    def _compute(self, reference: str | None) -> str:
        name = compute_name(own_reference(self.here, reference or ""))
        if reference is None or name == SERVERLESS or not self.has_compute(name):
            raise BadRequest(f"Unknown compute target '{name}'.")
        return reference

    def _code(self, sent: Sent) -> dict[str, str] | None:
        code, script = text(sent, "codeId"), text(sent, "scoringScript")
        if code is None and script is None:
            return None
        if code is None or script is None:
            raise BadRequest("A codeConfiguration needs a codeId and a scoringScript.")
        self.lookup.code(code)
        return {"codeId": code, "scoringScript": script}


def accept_settings(sent: Sent) -> dict[str, Any]:
    """Return the settings of a deployment. Raises `BadRequest`."""
    return overridable(sent, DEFAULTS) | {
        "maxConcurrencyPerInstance": _positive(sent, "maxConcurrencyPerInstance", 1),
        "outputAction": _one_of(sent, "outputAction", _ACTIONS),
        "loggingLevel": _one_of(sent, "loggingLevel", _LEVELS),
        "resources": {
            "instanceCount": instance_count(mapping(sent, "resources"), 1),
            "instanceType": text(mapping(sent, "resources"), "instanceType"),
            "properties": mapping(mapping(sent, "resources"), "properties") or None,
        },
    }


def overridable(sent: Sent, default: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a single call may set too; `default` has those that are not sent."""
    retry, usual = mapping(sent, "retrySettings"), default["retrySettings"]
    return {
        "miniBatchSize": _positive(sent, "miniBatchSize", default["miniBatchSize"]),
        "errorThreshold": _threshold(sent, default["errorThreshold"]),
        "outputFileName": _file_name(text(sent, "outputFileName") or default["outputFileName"]),
        "retrySettings": {
            "maxRetries": count(retry, "maxRetries", default=usual["maxRetries"]),
            "timeout": _timeout(text(retry, "timeout") or usual["timeout"]),
        },
    }


def instance_count(sent: Sent, default: int) -> int:
    """Return how many instances are asked for. Raises `BadRequest` for none."""
    return _positive(sent, "instanceCount", default)


def _positive(sent: Sent, key: str, default: int) -> int:
    value = count(sent, key, default=default)
    if value < 1:
        raise BadRequest(f"The key '{key}' must be at least 1.")
    return value


def _threshold(sent: Sent, default: int) -> int:
    value = sent.get("errorThreshold")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < -1:
        raise BadRequest(f"The key 'errorThreshold' must be a whole number, -1 to ignore all failures, not {value!r}.")
    return value


def _timeout(duration: str) -> str:
    if seconds(duration) <= 0:
        raise BadRequest(f"The retrySettings' timeout is {duration}: nothing is scored in no time.")
    return duration


def _file_name(name: str) -> str:
    if name in (".", "..") or not _FILE_NAME.fullmatch(name):
        raise BadRequest(f"The outputFileName {name!r} is not the name of a file.")
    return name


def _one_of(sent: Sent, key: str, known: tuple[str, ...]) -> str:
    """Return the known value that was sent, in its own spelling; the first one when none was."""
    value = text(sent, key) or known[0]
    for name in known:
        if name.lower() == value.lower():
            return name
    raise BadRequest(f"The key '{key}' is {value!r}; known are {', '.join(known)}.")
