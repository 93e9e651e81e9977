"""The inputs and outputs of a submitted job, checked and filled in as Azure ML does."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from amlocal.assets.store import check_name
from amlocal.core.context import Identity
from amlocal.core.errors import BadRequest
from amlocal.core.fields import Sent, mapping, text
from amlocal.core.uris import datastore_reference
from amlocal.datastores.store import DEFAULT
from amlocal.jobs.outputs import ARTIFACT_OUTPUTS

# reference -> nothing; raises `ApiError` when what is named does not exist
CheckReference = Callable[[str], object]

ASSET_TYPES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
_INPUT_MODES = ("ReadOnlyMount", "Download", "Direct", "EvalMount", "EvalDownload", "ReadWriteMount")
_OUTPUT_MODES = ("ReadWriteMount", "Upload", "Direct")
# A name becomes a folder and part of an environment variable.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


def accept_inputs(sent: Sent, check: CheckReference) -> dict[str, dict[str, Any]]:
    """Return a job's inputs as they are kept. Raises `BadRequest`, or what `check` raises for a reference."""
    given = mapping(sent, "inputs")
    return {_named("input", name): _input(name, mapping(given, name), check) for name in given}


def accept_outputs(here: Identity, job: str, sent: Sent, check: CheckReference) -> dict[str, dict[str, Any]]:
    """Return a job's outputs as they are kept. Raises `BadRequest`, or what `check` raises for a datastore.

    What would only be found out when the job has run is refused now.
    """
    given = mapping(sent, "outputs")
    return {
        _named("output", name): _output(name, mapping(given, name), partial(_destination, here, job, name, check))
        for name in given
    }


def without_zero(value: str, what: str) -> str:
    """Return what becomes part of a process's arguments or environment. Raises `BadRequest` for a zero byte in it."""
    if "\0" in value:
        raise BadRequest(f"The job's {what} holds a zero byte, which no process can be given.")
    return value


def _named(what: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"The {what} name {name!r} is not valid: it holds letters, digits, '_', '-' and '.', the first of them a "
            "letter, a digit or '_'."
        )
    return name


def _one_of(what: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise BadRequest(f"The {what} is {value!r}; known are {', '.join(known)}.")
    return value


def _input(name: str, sent: Sent, check: CheckReference) -> dict[str, Any]:
    kind = _one_of(f"type of input {name}", text(sent, "jobInputType") or "", ("literal", *ASSET_TYPES))
    description = text(sent, "description")
    if kind == "literal":
        if sent.get("value") is None:
            raise BadRequest(f"The input {name} is a literal without a value.")
        value = sent["value"] if isinstance(sent["value"], int | float) else text(sent, "value") or ""
        return {"description": description, "value": without_zero(str(value), f"input {name}"), "jobInputType": kind}
    uri = text(sent, "uri")
    if uri is None:
        raise BadRequest(f"The input {name} has no uri.")
    check(uri)
    mode = _one_of(f"mode of input {name}", text(sent, "mode") or "ReadOnlyMount", _INPUT_MODES)
    return {"description": description, "uri": uri, "mode": mode, "jobInputType": kind}


def _output(name: str, sent: Sent, destination: Callable[[str], str]) -> dict[str, Any]:
    if name in ARTIFACT_OUTPUTS:
        raise BadRequest(f"An output cannot be named {name!r}: that is where the job's own artifacts are.")
    asset, version, uri = text(sent, "assetName"), text(sent, "assetVersion"), text(sent, "uri")
    if asset is not None:
        check_name(asset, f"asset name of output {name}")
    if version is not None:
        check_name(version, f"asset version of output {name}")
    return {
        "description": text(sent, "description"),
        "uri": uri and destination(uri),
        "assetName": asset,
        "assetVersion": version,
        "mode": _one_of(f"mode of output {name}", text(sent, "mode") or "ReadWriteMount", _OUTPUT_MODES),
        "jobOutputType": _one_of(f"type of output {name}", text(sent, "jobOutputType") or "uri_folder", ASSET_TYPES),
        "autoDeleteSetting": sent.get("autoDeleteSetting"),
    }


def _destination(here: Identity, job: str, name: str, check: CheckReference, uri: str) -> str:
    """Return where an output goes, Azure ML's three placeholders for it replaced."""
    for placeholder, value in (("name", job), ("output_name", name), ("default_datastore", DEFAULT)):
        uri = uri.replace(f"${{{{{placeholder}}}}}", value)
    found = datastore_reference(here, uri)
    if found is None or not found[1].strip("/"):
        raise BadRequest(f"The output {name} goes to {uri!r}; it must be azureml://datastores/NAME/paths/PATH.")
    if {".", ".."}.intersection(found[1].split("/")):
        raise BadRequest(f"The output {name} goes to {uri!r}, which must not hold '.' or '..'.")
    check(uri)
    return uri
