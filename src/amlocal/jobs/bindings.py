"""The inputs and outputs of a submitted job, checked and filled in; and the `${{...}}` expressions that name them."""

import re
import shlex
from collections.abc import Callable, Container, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any

from amlocal.core.context import Identity
from amlocal.core.decoding import Sent, check_name, mapping, text
from amlocal.core.errors import BadRequest
from amlocal.core.uris import datastore_reference
from amlocal.datastores.store import DEFAULT
from amlocal.jobs.outputs import ARTIFACT_OUTPUTS
from amlocal.jobs.status import JobFailure

# reference -> nothing; raises `ApiError` when what is named does not exist
CheckReference = Callable[[str], object]
ASSET_TYPES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
_INPUT_MODES = ("ReadOnlyMount", "Download", "Direct", "EvalMount", "EvalDownload", "ReadWriteMount")
_OUTPUT_MODES = ("ReadWriteMount", "Upload", "Direct")
# A name becomes a folder and part of an environment variable.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_PLACEHOLDER = re.compile(r"\$\{\{\s*(?P<group>inputs|outputs)\.(?P<name>[^\s{}]+?)\s*\}\}")
# `$[[ ... ]]` holds what goes away when an optional input in it was not given.
_OPTIONAL = re.compile(r"\$\[\[(?P<text>.*?)\]\]", re.DOTALL)


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


def reject_null_byte(value: str, what: str) -> str:
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
        return {
            "description": description,
            "value": reject_null_byte(str(value), f"input {name}"),
            "jobInputType": kind,
        }
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


def substitute(
    command: str, inputs: Mapping[str, str], outputs: Mapping[str, str], *, literals: Container[str] | None = None
) -> str:
    """Return the command with every placeholder replaced. Raises `JobFailure` for a name that the job does not have.

    The inputs that are `literals` (by default all values are) go in as they are: quoting is the command's business, as
    in Azure ML. Paths are quoted where a shell would take them apart: on Azure no folder above them has a blank.
    """
    values = {"inputs": inputs, "outputs": outputs}
    pieces: list[str] = []

    def optional(found: re.Match[str]) -> str:
        text = found["text"]
        given = all(item["name"] in values[item["group"]] for item in _PLACEHOLDER.finditer(text))
        return text if given else ""

    def value(found: re.Match[str]) -> str:
        group, name = found["group"], found["name"]
        if name not in values[group]:
            known = ", ".join(values[group]) or "none"
            raise JobFailure(f"The command names ${{{{{group}.{name}}}}}, but the job's {group} are: {known}.")
        return values[group][name]

    wanted, end = _OPTIONAL.sub(optional, command), 0
    for found in _PLACEHOLDER.finditer(wanted):
        pieces.append(wanted[end : found.start()])
        put = value(found)
        if literals is not None and not (found["group"] == "inputs" and found["name"] in literals):
            put = quoted(put, quotes_around("".join(pieces)))
        pieces.append(put)
        end = found.end()
    return "".join([*pieces, wanted[end:]])


class Quoting(Enum):
    """What a place in a command stands within (bash(1), QUOTING)."""

    UNQUOTED = ""
    DOUBLE = '"'
    SINGLE = "'"
    ANSI = "$'"
    COMMAND = "$("
    """A command within double quotes, where the outer quotes count no more."""
    BACKTICKS = "`"


_OPENS = ("$'", "$(", '"', "'", "`")
_SPECIAL = {Quoting.DOUBLE: r'[\\"$`]', Quoting.ANSI: r"[\\']"}


def quoted(value: str, within: Sequence[Quoting]) -> str:
    """Return `value` as it must be written within these quotes, the outermost first."""
    written = _quoted(value, within[-1])
    # What stands between backticks is read twice.
    for _ in range(within.count(Quoting.BACKTICKS)):
        written = re.sub(r"[\\$`]", r"\\\g<0>", written)
    return written


def _quoted(value: str, within: Quoting) -> str:
    if within is Quoting.SINGLE:
        return value.replace("'", "'\\''")
    if special := _SPECIAL.get(within):
        return re.sub(special, r"\\\g<0>", value)
    return shlex.quote(value)


def quotes_around(command: str) -> Sequence[Quoting]:
    """Return the quotes that are open at the end of `command`, the beginning of a longer one; outermost first."""
    open_quotes = [Quoting.UNQUOTED]
    at = 0
    while at < len(command):
        at += _step(command, at, open_quotes)
    return open_quotes


def _step(command: str, at: int, open_quotes: list[Quoting]) -> int:
    """Take one character, or two that belong together, into account; return how many."""
    within, character = open_quotes[-1], command[at]
    if within is Quoting.SINGLE:
        if character == "'":
            open_quotes.pop()
        return 1
    if character == "\\":
        return 2
    if within is Quoting.ANSI:
        if character == "'":
            open_quotes.pop()
        return 1
    if character == _end(within):
        open_quotes.pop()
        return 1
    opening = next((each for each in _OPENS if command.startswith(each, at)), None)
    # A single quote is nothing special within double ones.
    if opening is None or (within is Quoting.DOUBLE and opening in {"'", "$'"}):
        return 1
    open_quotes.append(Quoting(opening))
    return len(opening)


def _end(within: Quoting) -> str:
    return {Quoting.COMMAND: ")", Quoting.UNQUOTED: ""}.get(within, within.value)
