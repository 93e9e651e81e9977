"""The four kinds of asset, each with the least that makes one and with something that makes another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.unit.amlocal.asgi import Answer, Workspace


@dataclass(frozen=True)
class Kind:
    """A kind of asset: `one` and `other` are properties of different definitions."""

    collection: str
    one: Mapping[str, Any]
    other: Mapping[str, Any]
    repeat_status: int
    conflict: str
    missing: str

    def put(self, workspace: Workspace, name: str = "n", version: str = "1", **changes: Any) -> Answer:
        """PUT a version with the definition `one`."""
        return workspace.put(f"{self.collection}/{name}/versions/{version}", dict(self.one) | changes)

    def put_other(self, workspace: Workspace, name: str = "n", version: str = "1", **changes: Any) -> Answer:
        """PUT a version with the definition `other`."""
        return workspace.put(f"{self.collection}/{name}/versions/{version}", dict(self.other) | changes)

    def get(self, workspace: Workspace, name: str = "n", version: str = "1") -> Answer:
        """GET a version."""
        return workspace.get(f"{self.collection}/{name}/versions/{version}")

    def container(self, workspace: Workspace, name: str = "n") -> Answer:
        """GET a container."""
        return workspace.get(f"{self.collection}/{name}")

    def versions(self, workspace: Workspace, name: str = "n", **query: str) -> list[str]:
        """Return the versions of a name as they are listed."""
        rows = workspace.get(f"{self.collection}/{name}/versions", **query).json["value"]
        return [row["name"] for row in rows]

    def names(self, workspace: Workspace, **query: str) -> list[str]:
        """Return the names of the containers as they are listed."""
        return [row["name"] for row in workspace.get(self.collection, **query).json["value"]]


ENVIRONMENTS = Kind(
    "environments",
    {"image": "img", "condaFile": "name: x\ndependencies: [python=3.11, {pip: [a, b]}]\n"},
    {"image": "another", "condaFile": "name: x\ndependencies: [python=3.11, {pip: [a, b]}]\n"},
    201,
    "Environment n with version 1 is already registered and cannot be changed.",
    "No environment exists for name: n, version: 1, label: ",
)
DATA = Kind(
    "data",
    {"dataType": "uri_file", "dataUri": "azureml://datastores/workspaceblobstore/paths/a.csv"},
    {"dataType": "uri_file", "dataUri": "azureml://datastores/workspaceblobstore/paths/b.csv"},
    200,
    "A data version with this name and version already exists. If you are trying to create a new data version, use a "
    "different name or version. If you are trying to update an existing data version, the existing asset's data uri "
    "cannot be changed. Only tags, description, and isArchived can be updated.",
    "Data version n:1 (dataContainerName:version) not found.",
)
MODELS = Kind(
    "models",
    {"modelType": "custom_model", "modelUri": "azureml://datastores/workspaceblobstore/paths/model"},
    {"modelType": "custom_model", "modelUri": "azureml://datastores/workspaceblobstore/paths/Model"},
    200,
    "Model version n:1 already exists with another path or type, which cannot be changed. Use a new version.",
    "The specified resource was not found.",
)
CODES = Kind(
    "codes",
    {"codeUri": "https://127.0.0.1:8443/devstore/c/src"},
    {"codeUri": "https://127.0.0.1:8443/devstore/c/other"},
    200,
    "Code n:1 already exists with another URI.",
    "Code n:1 not found.",
)
ALL = (ENVIRONMENTS, DATA, MODELS, CODES)
LISTED = (ENVIRONMENTS, DATA, MODELS)
