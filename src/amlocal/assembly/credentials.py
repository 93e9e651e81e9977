"""What lets a caller in: a workspace's secrets, the tokens they sign and the access to its storage account."""

from datetime import timedelta

from amlocal.assembly.stores import Stores
from amlocal.blobs.access import StorageAccess
from amlocal.core.context import STORAGE_ACCOUNT, STORAGE_SUFFIX, Context
from amlocal.core.errors import Forbidden
from amlocal.identity.routes import ML_AUDIENCE, SCORING_AUDIENCES
from amlocal.identity.secrets import Secrets
from amlocal.identity.tokens import Tokens, TokenScope
from amlocal.jobs.outputs import JobPermissions

_SAS_LIFETIME = timedelta(hours=8)  # as Azure ML's own upload tokens
_SAS_SKEW = timedelta(minutes=10)
_JOB_TOKEN_LIFETIME = timedelta(days=30)  # at most: it ends with the job


class Credentials:
    """The credentials of one workspace, and what checks them."""

    def __init__(self, context: Context, stores: Stores, secrets: Secrets) -> None:
        self._clock = context.clock
        self.secrets = secrets
        self.storage_root = f"{context.origin}/{STORAGE_ACCOUNT}.blob.{STORAGE_SUFFIX}"
        self.tokens = Tokens(secrets.signing, context.identity.guid, context.clock, stores.jobs.runs)
        grants = JobPermissions(context.identity, stores.jobs, stores.lookup(), stores.datastores)
        self.storage = StorageAccess(
            STORAGE_ACCOUNT, secrets.storage, context.clock, self.tokens.check, grants.permissions
        )

    def make_sas(self, container: str) -> str:
        """Return a SAS token (no question mark) that reads, writes, deletes and lists in a container."""
        now = self._clock()
        return self.storage.make_sas(container, "rcwdl", now + _SAS_LIFETIME, starts=now - _SAS_SKEW)

    def job_token(self, job: str, whole: bool) -> str:
        """Return the token of a job, which opens what is the job's own or, `whole`, the workspace."""
        return self.tokens.issue(ML_AUDIENCE, lifetime=_JOB_TOKEN_LIFETIME, scope=TokenScope(job, whole))[0]


def check_caller(tokens: Tokens, header: str) -> None:
    """Raise `ApiError` unless the header lets its sender call online endpoints."""
    if job := tokens.check_header(header, audiences=SCORING_AUDIENCES):
        raise Forbidden(job, "score", "onlineEndpoints")
