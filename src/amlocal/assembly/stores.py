"""All that a workspace keeps, wired together."""

from dataclasses import dataclass

from amlocal.assets.codes import code_kind
from amlocal.assets.data import data_kind
from amlocal.assets.environments import environment_kind
from amlocal.assets.lookup import AssetLookup, EnvironmentStore
from amlocal.assets.models import model_kind
from amlocal.assets.store import AssetStore
from amlocal.blobs import BlobStore
from amlocal.computes.store import Computes
from amlocal.core.context import Context, Identity
from amlocal.datastores.store import Datastores, Location
from amlocal.jobs.outputs import JobOutputs
from amlocal.jobs.store import JobStore


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one workspace."""

    identity: Identity
    blobs: BlobStore
    datastores: Datastores
    computes: Computes
    environments: AssetStore
    data: AssetStore
    models: AssetStore
    codes: AssetStore
    jobs: JobStore
    outputs: JobOutputs

    def lookup(self) -> AssetLookup:
        """Return the look-up over these stores."""
        return AssetLookup(
            self.identity,
            environments=self.environments,
            data=self.data,
            models=self.models,
            codes=self.codes,
            datastores=self.datastores,
            resolve_output=self.outputs.resolve,
        )

    def has_file(self, uri: str) -> bool:
        """Return whether there is a blob at a datastore's URI. Raises `NotFound` for a datastore that is not here."""
        place = self.lookup().locate(uri)
        return isinstance(place, Location) and self.blobs.get(place.container, place.path) is not None


def open_stores(context: Context, blobs: BlobStore) -> Stores:
    """Return the stores of a workspace; what Azure ML creates with a new one is there."""
    datastores = Datastores(context)
    for container in datastores.built_in_containers:  # those of others were made with them
        blobs.create_container(container)
    jobs = JobStore(context)

    def exists(datastore: str, path: str) -> bool:
        container = datastores.container_of(datastore)
        return bool(blobs.get(container, path) or blobs.list(container, f"{path}/", limit=1))

    outputs = JobOutputs(context.identity, jobs, exists)
    return Stores(
        identity=context.identity,
        blobs=blobs,
        datastores=datastores,
        computes=Computes(context),
        environments=EnvironmentStore(context, environment_kind(context.identity)),
        data=AssetStore(context, data_kind(context.identity)),
        models=AssetStore(context, model_kind(context.identity, outputs.resolve)),
        codes=AssetStore(context, code_kind(context.identity)),
        jobs=jobs,
        outputs=outputs,
    )
