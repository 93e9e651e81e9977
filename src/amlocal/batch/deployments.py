"""What a client sends to create a deployment, checked against what the workspace has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amlocal.assets.lookup import AssetLookup
from amlocal.batch.no_code import ModelEnvironments
from amlocal.batch.settings import accept_settings
from amlocal.batch.store import own_properties
from amlocal.core.context import Identity
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.fields import Sent, mapping, text
from amlocal.core.unserved import not_served
from amlocal.core.uris import own_reference
from amlocal.jobs.store import SERVERLESS, compute_name
from amlocal.jobs.submission import accept_variables


@dataclass(frozen=True, slots=True)
class DeploymentRules:
    """Accepts deployments. `has_compute` tells whether the workspace has a compute of that name.

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
