"""Who this workspace is, and what every API needs to know of it; time and chance, so that a test can choose them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from amlocal.core.documents import Documents
from amlocal.core.wire import azure_date

Clock = Callable[[], datetime]  # now, aware, UTC
Ids = Callable[[], str]  # a fresh GUID as text
PROVIDER = "Microsoft.MachineLearningServices"
TENANT = "11111111-1111-1111-1111-111111111111"
STORAGE_ACCOUNT = "devstore"
# azure-ai-ml downloads code only from *.blob.core.windows.net, and the path-style root of an account carries this
# suffix; nothing is ever sent there (docs/amlocal.md, "Storage").
STORAGE_SUFFIX = "core.windows.net"


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def random_ids() -> str:
    """Return a random GUID, of version 4; `uuid.uuid4` takes three times as long, and each request wants one or two."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of a workspace, as Azure Resource Manager knows them."""

    subscription: str
    resource_group: str
    name: str
    guid: str
    location: str = "local"

    @property
    def arm_id(self) -> str:
        """The workspace's ARM id, in the exact case that the SDK parses."""
        return f"{self.group_id}/providers/{PROVIDER}/workspaces/{self.name}"

    @property
    def group_id(self) -> str:
        """The resource group's ARM id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    def datastore_uri(self, datastore: str, path: str, *, group: str = "resourcegroups") -> str:
        """Return the long form of a datastore URI (Azure ML writes data with `resourcegroups`, models with a G)."""
        return (
            f"azureml://subscriptions/{self.subscription}/{group}/{self.resource_group}"
            f"/workspaces/{self.name}/datastores/{datastore}/paths/{path}"
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What is handed to every API: identity, origin, storage, time and chance."""

    identity: Identity
    origin: str  # https://127.0.0.1:PORT
    documents: Documents
    clock: Clock
    ids: Ids

    @property
    def arm(self) -> str:
        """The workspace's ARM id."""
        return self.identity.arm_id

    def now(self) -> str:
        """The present moment as Azure writes it."""
        return azure_date(self.clock())
