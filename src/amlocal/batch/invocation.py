"""A call of a batch endpoint, read."""

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlocal.batch.deployments import instance_count, overridable
from amlocal.core.context import Identity
from amlocal.core.decoding import Sent, mapping, text
from amlocal.core.errors import BadRequest
from amlocal.core.uris import datastore_reference, own_reference

# The data plane has names of its own for the types of inputs and outputs.
_TYPES = {"urifile": "uri_file", "urifolder": "uri_folder"}


@dataclass(frozen=True, slots=True)
class Invocation:
    """What one call asks for: data, where its output goes (None: the job's own place), and settings.

    `input_key` and `input_type` are as they were sent.
    """

    input_key: str
    input_type: str
    input_uri: str
    output_uri: str | None
    settings: Mapping[str, Any]
    instances_sent: int | None  # None: as many as the deployment says
    instance_count: int
    job_name: str | None
    experiment: str | None


def read_invocation(here: Identity, sent: Sent, deployment: Mapping[str, Any], *, lenient: bool = False) -> Invocation:
    """Return the call whose `properties` were sent, over the properties of its deployment. Raises `BadRequest`.

    `lenient` takes a folder for the output, in which the deployment's own file name is used.
    """
    key, given = _only("inputData", mapping(sent, "inputData"))
    uri, kind = text(given, "uri"), text(given, "jobInputType") or ""
    if _plain(kind) not in _TYPES:
        raise _invalid(
            "InputData.Values[0]",
            f"The specified job input type '{kind}JobInput' is not supported. The supported types are: "
            "UriFileJobInput, UriFolderJobInput.",
            given,
        )
    if uri is None:
        raise BadRequest(f"The input '{key}' has no uri: a deployment of a model scores a file or a folder.")
    settings = overridable(sent, deployment)
    output, file_name = _output(here, sent, lenient=lenient)
    if file_name:
        settings["outputFileName"] = file_name
    compute = mapping(sent, "compute")
    instances = instance_count(compute, deployment["resources"]["instanceCount"])
    return Invocation(
        input_key=key,
        input_type=kind,
        input_uri=uri,
        output_uri=output,
        settings=settings,
        instances_sent=None if compute.get("instanceCount") is None else instances,
        instance_count=instances,
        job_name=text(sent, "name"),
        experiment=text(mapping(sent, "properties"), "experimentName"),
    )


def job_input_type(kind: str) -> str:
    """Return the type of a job's input for one of the data plane."""
    return _TYPES[_plain(kind)]


def _plain(kind: str) -> str:
    return kind.replace("_", "").lower()


def _only(what: str, sent: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if len(sent) != 1:
        given = ", ".join(sent) or "none"
        raise BadRequest(f"A deployment of a model takes exactly one {what}; given are: {given}.")
    key = next(iter(sent))
    return key, mapping(sent, key)


def _output(here: Identity, sent: Sent, *, lenient: bool) -> tuple[str | None, str | None]:
    """Return the folder that the output goes to and the name of the file in it, as far as the call says."""
    outputs = mapping(sent, "outputData")
    if not outputs:
        outputs, lenient = _older_output(here, mapping(sent, "outputDataset")), True
    if not outputs:
        return None, None
    key, given = _only("outputData", outputs)
    kind = text(given, "jobOutputType") or ""
    if not lenient and _plain(kind) != "urifile":
        shown = _TYPES.get(_plain(kind), kind)
        raise _invalid("OutputData.Values[0].JobOutputType", "Job output type must be 'uri_file'.", shown)
    uri = text(given, "uri")
    if uri is None:
        return None, None
    place = datastore_reference(here, uri)
    if place is None:
        raise BadRequest(f"The output '{key}' goes to {uri!r}; it must be azureml://datastores/NAME/paths/PATH.")
    path = posixpath.normpath(place[1].strip("/")) if place[1].strip("/") else ""
    folder, name = (path, None) if _plain(kind) == "urifolder" else posixpath.split(path)
    if not folder or {".", ".."}.intersection(folder.split("/")):
        raise BadRequest(f"The output '{key}' goes to {uri!r}; it must be in a folder of the datastore.")
    return f"azureml://datastores/{place[0]}/paths/{folder}", name


def _invalid(name: str, message: str, value: str | Mapping[str, Any]) -> BadRequest:
    """Return what Azure's validators say of a call (azure-docs issues 118447 and 115245 show it)."""
    error = {"PropertyName": name, "ErrorMessage": message, "AttemptedValue": value, "ErrorCode": "PredicateValidator"}
    return BadRequest(
        "The Job request provided has the following validation errors. Please resolve them and try again.\nErrors:\n"
        + json.dumps([error], indent=2)
    )


def _older_output(here: Identity, sent: Sent) -> dict[str, Any]:
    """Return a folder that is given as the id of a datastore and a path in it, as outputs were given before."""
    datastore = text(sent, "datastoreId")
    if datastore is None:
        return {}
    name = own_reference(here, datastore).rstrip("/").rpartition("/")[2].removeprefix("azureml:")
    uri = f"azureml://datastores/{name}/paths/{(text(sent, 'path') or '').strip('/')}"
    return {"output_name": {"jobOutputType": "UriFolder", "uri": uri}}
