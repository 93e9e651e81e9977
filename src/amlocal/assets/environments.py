"""Environments: an image, a conda file or a docker build context."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from amlocal.assets.kind import AssetKind, Properties
from amlocal.core.errors import BadRequest, Conflict, NotFound


def _conda(text: Any) -> str:
    """Return the conda file as JSON text, as Azure ML gives it back; the empty string for none."""
    if not text:
        return ""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadRequest(f"The conda file is not YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(content, Mapping):
        raise BadRequest("The conda file must be a mapping with the key 'dependencies'.")
    return json.dumps(content, indent=2)


def _accept(properties: Properties) -> dict[str, Any]:
    image, build = properties.get("image"), properties.get("build")
    if bool(image) == bool(build):
        raise BadRequest("An environment needs an image or a build context, and not both.")
    accepted: dict[str, Any] = {
        "environmentType": "UserCreated",
        "condaFile": _conda(properties.get("condaFile")),
        "osType": properties.get("osType") or "Linux",
    }
    accepted |= {"image": image} if image else {"build": _build(build)}
    if properties.get("inferenceConfig"):
        accepted["inferenceConfig"] = properties["inferenceConfig"]
    return accepted


def _build(build: Any) -> dict[str, Any]:
    if not isinstance(build, Mapping) or not build.get("contextUri"):
        raise BadRequest("The environment's build context has no contextUri.")
    return {"contextUri": build["contextUri"], "dockerfilePath": build.get("dockerfilePath") or "Dockerfile"}


def _definition(properties: Properties) -> object:
    conda = properties.get("condaFile")
    # Compared by meaning: the client sends YAML and gets JSON back, keys in another order.
    content = yaml.safe_load(conda) if conda else None
    return (content, *(properties.get(key) for key in ("image", "build", "osType", "inferenceConfig")))


def _conflict(name: str, version: str) -> Conflict:
    return Conflict(f"Environment {name} with version {version} is already registered and cannot be changed.")


def _missing(name: str, version: str = "") -> NotFound:
    return NotFound(f"No environment exists for name: {name}, version: {version}, label: ")


ENVIRONMENTS = AssetKind(
    collection="environments",
    accept=_accept,
    definition=_definition,
    conflict=_conflict,
    missing_version=_missing,
    missing_container=_missing,
    container=lambda _: {"description": ""},
    repeat_status=201,
    touches=False,
)
