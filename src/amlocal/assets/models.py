"""Models: a folder or file in blob storage, however its URI was spelt."""

from collections.abc import Callable
from typing import Any

from amlocal.assets.store import AssetKind, Properties
from amlocal.core.context import Identity
from amlocal.core.decoding import mapping, text
from amlocal.core.errors import BadRequest, Conflict, NotFound
from amlocal.core.uris import datastore_reference, job_output_reference

_TYPES = ("custom_model", "mlflow_model", "triton_model")

# job, output, path -> the datastore and the path in it, which exist; raises `ApiError` when they do not
ResolveOutput = Callable[[str, str, str], tuple[str, str]]


def model_kind(identity: Identity, resolve_output: ResolveOutput) -> AssetKind:
    """Return the rules of models in a workspace; `resolve_output` finds what a job left behind."""

    def location(uri: str) -> tuple[str, str | None]:
        """Return the URI that is kept, and the job that the model is from."""
        job = None
        if output := job_output_reference(identity, uri):
            job = output[0]
            found: tuple[str, str] | None = resolve_output(*output)
        else:
            found = datastore_reference(identity, uri)
        if found is None:
            return uri, None
        # Azure keeps models with a capital G in resourceGroups and without a final slash, folders too.
        return identity.datastore_uri(found[0], found[1].strip("/"), group="resourceGroups"), job

    def accept(properties: Properties) -> dict[str, Any]:
        uri, kind = text(properties, "modelUri"), text(properties, "modelType") or "custom_model"
        if uri is None:
            raise BadRequest("A model needs a modelUri.")
        if kind not in _TYPES:
            raise BadRequest(f"A model's type is one of {', '.join(_TYPES)}, not {kind!r}.")
        kept, job = location(uri)
        return {
            "flavors": mapping(properties, "flavors"),
            "modelType": kind,
            "modelUri": kept,
            "jobName": job or text(properties, "jobName"),
            "stage": text(properties, "stage"),
            "provisioningState": "Succeeded",
            "autoDeleteSetting": None,
            "intellectualProperty": None,
        }

    return AssetKind(
        collection="models",
        accept=accept,
        definition=lambda properties: (properties["modelUri"], properties["modelType"]),
        conflict=_conflict,
        missing_version=_missing_version,
        missing_container=_missing_container,
        container=lambda _: {},
        mutable=("description", "tags", "properties", "isArchived", "stage", "flavors"),
    )


def _conflict(name: str, version: str) -> Conflict:
    return Conflict(
        f"Model version {name}:{version} already exists with another path or type, which cannot be changed. "
        "Use a new version."
    )


def _missing_version(name: str, version: str) -> NotFound:
    detail = f"Model with name: {name} and version: {version} not found."
    return NotFound("The specified resource was not found.", details=[("ModelNotFound", detail)], inner=None)


def _missing_container(name: str) -> NotFound:
    detail = f"Model container with name: {name} not found."
    return NotFound("The specified resource was not found.", details=[("ModelNotFound", detail)], inner=None)
