"""Who may do what: signatures, account keys and tokens, and the links that are signed here."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from amlocal.blobs import signatures
from amlocal.blobs.requests import BlobRequest
from amlocal.blobs.signatures import text_to_sign
from amlocal.blobs.values import AuthenticationFailed, StorageError
from amlocal.core.context import Clock
from amlocal.core.errors import Unauthorized

ALL = frozenset("racwdl")  # read, add, create, write, delete, list


class StorageAccess:
    """The storage account: its name, its key (base64), and what a request brings to be let in.

    `bearer` takes an access token and returns the job whose it is, None for one that opens all; it raises
    `Unauthorized`. `grants` tells what a job may do in a container at a path (a prefix, when it ends in a slash).
    Clients spell a path-style account in three ways when they sign: `devstore` (as the server does), the first segment
    of the path (azure-storage-blob with an account URL on loopback), and `HOST:PORT/devstore` (azure-ai-ml, from the
    datastore's account name). All are taken: the key is the same.
    """

    def __init__(
        self,
        account: str,
        key: str,
        clock: Clock,
        bearer: Callable[[str], str | None],
        grants: Callable[[str, str, str], frozenset[str]] = lambda *_: frozenset(),
        *,
        suffix: str = "core.windows.net",
    ) -> None:
        self._account = account
        self._key = key
        self._clock = clock
        self._bearer = bearer
        self._grants = grants
        self.roots = (account, f"{account}.blob.{suffix}")

    def permissions(self, request: BlobRequest) -> frozenset[str]:
        """Return what the request's credential allows where the request points. Raises `StorageError` 401 or 403."""
        if "sig" in request.query:
            return self._signed(request)
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "sharedkey":
            return self._by_key(request, value)
        if scheme.lower() == "bearer":
            return self._by_token(request, value.strip())
        message = "The request carries no credential: sign it with a SAS, the account key or an access token."
        raise _unauthorized("NoAuthenticationInformation", message)

    def make_sas(self, container: str, permissions: str, expires: datetime, *, starts: datetime | None = None) -> str:
        """Return a SAS token (no question mark) for a container; `permissions` like "rcwl"."""
        canonical = signatures.resource(self._account, container)
        return signatures.service_sas(
            self._key, canonical, kind="c", permissions=permissions, expires=expires, starts=starts
        )

    def sign_url(self, origin: str, container: str, name: str, expires: datetime) -> str:
        """Return a link to read one blob until `expires`; `origin` like `https://127.0.0.1:8443`."""
        canonical = signatures.resource(self._account, container, name)
        token = signatures.service_sas(self._key, canonical, kind="b", permissions="r", expires=expires, starts=None)
        return f"{origin}/{self._account}/{container}/{quote(name, safe='/~')}?{token}"

    def _spellings(self, request: BlobRequest) -> tuple[str, ...]:
        return (*self.roots, f"{request.origin.partition('//')[2]}/{self._account}")

    def _by_key(self, request: BlobRequest, credential: str) -> frozenset[str]:
        account, _, signature = credential.rpartition(":")
        text = text_to_sign(request, account)
        if account not in self._spellings(request) or not signatures.matches(self._key, [text], signature):
            raise AuthenticationFailed("the Shared Key signature is not the account key's for this request.")
        return ALL

    def _by_token(self, request: BlobRequest, token: str) -> frozenset[str]:
        try:
            job = self._bearer(token)
        except Unauthorized as error:
            raise _unauthorized("InvalidAuthenticationInfo", error.message) from error
        if job is None:
            return ALL
        if request.blob:
            return self._grants(job, request.container, request.blob) - {"l"}
        # Names alone: what begins with `a` may be of `ab`, so a listing's prefix counts as far as its last slash.
        folder = request.query.get("prefix", "").rpartition("/")[0]
        return self._grants(job, request.container, f"{folder}/") & {"l"}

    def _signed(self, request: BlobRequest) -> frozenset[str]:
        fields = request.query
        signatures.check_fields(fields)
        accounts = self._spellings(request)
        if "ss" in fields:
            texts = [signatures.account_text(fields, account) for account in accounts]
        else:
            blob = request.blob if fields.get("sr") == "b" else ""
            texts = [
                signatures.service_text(fields, signatures.resource(account, request.container, blob))
                for account in accounts
            ]
        if not signatures.matches(self._key, texts, fields["sig"]):
            raise AuthenticationFailed("the SAS was not signed with this account's key for this resource.")
        signatures.check_times(fields, self._clock())
        if fields.get("spr") == "https" and not request.origin.startswith("https:"):
            raise StorageError(403, "AuthorizationProtocolMismatch", "The SAS is for https only.")
        return self._scope(request) & frozenset(fields.get("sp", ""))

    def _scope(self, request: BlobRequest) -> frozenset[str]:
        """Return what a SAS of this kind can allow at all where the request points."""
        fields, level = request.query, "o" if request.blob else "c"
        if "ss" in fields:
            return ALL if "b" in fields["ss"] and level in fields.get("srt", "") else frozenset()
        if level == "o":
            return ALL - {"l"} if fields.get("sr") in ("b", "c") else frozenset()
        return frozenset("l") if fields.get("sr") == "c" else frozenset()


def _unauthorized(code: str, message: str) -> StorageError:
    challenge = {"WWW-Authenticate": "Bearer resource_id=https://storage.azure.com"}
    return StorageError(401, code, message, headers=challenge)
