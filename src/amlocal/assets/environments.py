"""Environments: an image, a conda file or a docker build context."""

import json
from functools import partial
from typing import Any

from amlocal.assets.store import AssetKind, Properties
from amlocal.core.context import Identity
from amlocal.core.decoding import mapping, read_json, text
from amlocal.core.errors import BadRequest, Conflict, NotFound
from amlocal.core.uris import own_reference
from amlocal.core.yaml_decoding import read_yaml


def _conda(conda: str | None) -> str:
    """Return the conda file as JSON text, as Azure ML gives it back; the empty string for none."""
    if conda is None:
        return ""
    try:
        content = _parsed(conda)
        if not isinstance(content, dict):
            raise BadRequest("The conda file must be a mapping with the key 'dependencies'.")
        return json.dumps(content, indent=2, default=str, ensure_ascii=False, allow_nan=False)
    # What YAML can say and JSON cannot: keys that are no text, an infinite number.
    except (ValueError, TypeError) as error:
        raise BadRequest(f"The conda file cannot be read: {' '.join(str(error).split())}.") from error


def _parsed(conda: str) -> object:
    # A client sends YAML, or the JSON that it was given. YAML takes JSON too, but not all of its escapes.
    try:
        return read_json(conda)
    except ValueError:
        return read_yaml(conda)


def _accept(here: Identity, properties: Properties) -> dict[str, Any]:
    image, build = text(properties, "image"), mapping(properties, "build")
    if bool(image) == bool(build):
        raise BadRequest("An environment needs an image or a build context, and not both.")
    accepted: dict[str, Any] = {
        "environmentType": "UserCreated",
        "condaFile": _conda(text(properties, "condaFile")),
        "osType": text(properties, "osType") or "Linux",
    }
    accepted |= {"image": image} if image else {"build": _build(here, build)}
    if inference := mapping(properties, "inferenceConfig"):
        accepted["inferenceConfig"] = inference
    return accepted


def _build(here: Identity, build: Properties) -> dict[str, Any]:
    uri = text(build, "contextUri")
    if uri is None:
        raise BadRequest("The environment's build context has no contextUri.")
    own_reference(here, uri)
    return {"contextUri": uri, "dockerfilePath": text(build, "dockerfilePath") or "Dockerfile"}


def _definition(properties: Properties) -> object:
    # Compared by meaning: the client sends YAML and gets JSON back, keys in another order.
    content = json.loads(properties["condaFile"]) if properties["condaFile"] else None
    return (content, *(properties.get(key) for key in ("image", "build", "osType", "inferenceConfig")))


def _conflict(name: str, version: str) -> Conflict:
    return Conflict(f"Environment {name} with version {version} is already registered and cannot be changed.")


def _missing(name: str, version: str = "") -> NotFound:
    return NotFound(f"No environment exists for name: {name}, version: {version}, label: ")


def environment_kind(identity: Identity) -> AssetKind:
    """Return the rules of environments in a workspace."""
    return AssetKind(
        collection="environments",
        accept=partial(_accept, identity),
        definition=_definition,
        conflict=_conflict,
        missing_version=_missing,
        missing_container=_missing,
        container=lambda _: {"description": ""},
        repeat_status=201,
        touches=False,
        slow=True,
    )
