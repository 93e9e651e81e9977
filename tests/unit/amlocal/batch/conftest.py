from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amlocal.assembly.stores import Stores, open_stores
from amlocal.batch.deployments import DeploymentRules, ModelEnvironments
from amlocal.batch.invoker import Invoker
from amlocal.batch.status_sync import StatusSync
from amlocal.batch.store import BatchStore
from amlocal.blobs import BlobStore
from amlocal.core.context import Context, Identity
from amlocal.core.database import Database
from amlocal.core.documents import Document, Documents
from amlocal.jobs.submission import accept
from tests.unit.amlocal.blobs.wire import CountingIds, ManualClock

CONDA = "dependencies:\n- python=3.11\n- pip:\n  - mlflow\n"


@dataclass
class Batch:
    """Batch endpoints over the stores of a workspace; jobs are kept and queued, but none runs."""

    context: Context
    stores: Stores
    store: BatchStore
    rules: DeploymentRules
    invoker: Invoker
    queued: list[str]
    scratch: Path
    canceled: list[str] = field(default_factory=list)

    def add_model(self, name: str = "m", kind: str = "mlflow_model", conda: str | None = CONDA) -> None:
        uri = f"azureml://datastores/workspaceblobstore/paths/models/{name}"
        if conda is not None:
            container = self.stores.datastores.container_of("workspaceblobstore")
            file = self.scratch / "conda.yaml"
            file.write_text(conda, encoding="utf-8", errors="surrogatepass")
            self.stores.blobs.put_file(container, f"models/{name}/conda.yaml", file)
        self.stores.models.put(name, "1", {"modelUri": uri, "modelType": kind})

    def deploy(self, endpoint: str = "scores", name: str = "first", **properties: Any) -> Document:
        sent = deployment(**properties)
        return self.store.put_deployment(endpoint, name, self.rules.accept(sent["properties"]), sent)

    def ready(self) -> "Batch":
        """Return this with a model, an endpoint and its default deployment."""
        self.add_model()
        self.store.put_endpoint("scores", {})
        self.deploy()
        self.store.put_endpoint("scores", {"properties": {"defaults": {"deploymentName": "first"}}})
        return self


def deployment(**properties: Any) -> dict[str, Any]:
    """Return what the SDK sends for a deployment of model m:1."""
    return {
        "properties": {
            "model": {"referenceType": "Id", "assetId": "azureml:m:1"},
            "compute": "azureml:cpu-cluster",
            **properties,
        }
    }


def call(**properties: Any) -> dict[str, Any]:
    """Return the properties of a call that scores a folder."""
    data = {"UriFolder": {"jobInputType": "UriFolder", "uri": "azureml://datastores/workspaceblobstore/paths/in/"}}
    return {"inputData": data, **properties}


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[Batch]:
    database, clock, ids = Database(tmp_path / "w.db"), ManualClock(), CountingIds()
    context = Context(Identity("s", "g", "w", ids()), "https://here", Documents(database), clock, ids)
    stores = open_stores(context, BlobStore(tmp_path / "chunks", database, clock, ids))
    lookup, store, queued = stores.lookup(), BatchStore(context), list[str]()
    rules = DeploymentRules(
        here=context.identity,
        lookup=lookup,
        environments=ModelEnvironments(stores.blobs, stores.environments, lookup),
        has_compute=lambda name: stores.computes.get(name) is not None,
    )

    def accepted(name: str, sent: dict[str, Any]) -> dict[str, Any]:
        return accept(
            context,
            name,
            sent,
            check_environment=lookup.environment,
            check_input=lookup.check_input,
            check_code=lookup.code,
        )

    invoker = Invoker(
        context,
        store,
        rules,
        stores.jobs,
        accepted,
        submit=lambda document: queued.append(document.name),
        exists=stores.has_file,
    )
    made = Batch(context, stores, store, rules, invoker, queued, tmp_path)
    StatusSync(stores.jobs, made.canceled.append).start()
    yield made
    database.close()
