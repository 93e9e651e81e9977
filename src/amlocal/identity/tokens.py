"""Access tokens: what the managed-identity endpoint hands out and every other call must bring."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

import jwt
from jwt.types import Options

from amlocal.core.context import TENANT, Clock
from amlocal.core.errors import Unauthorized

LIFETIME = timedelta(hours=24)
_ALGORITHM = "HS256"
_OBJECT = "33333333-3333-3333-3333-333333333333"
# Any audience will do where one server answers for all; the times are checked by the clock that was handed in.
_CHECKS: Options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "require": ["exp", "iss"]}


@dataclass(frozen=True, slots=True)
class TokenScope:
    """A token of a job. It ends with the job; it opens what is the job's own or, `whole`, the workspace.

    On Azure the latter is what an identity that the job declares was given; here that is everything.
    """

    job: str
    whole: bool = False


def _nothing_runs(_: str) -> bool:
    return False


class Tokens:
    """Issues and checks JWTs signed with the workspace's key.

    `issuer` is the workspace's GUID: a token of a neighbouring workspace is refused even if their keys were copied.
    `runs` tells whether a job still does: its token ends with it.
    """

    def __init__(self, key: str, issuer: str, clock: Clock, runs: Callable[[str], bool] = _nothing_runs) -> None:
        self._key = key
        self._issuer = issuer
        self._clock = clock
        self._runs = runs

    def issue(
        self, audience: str, *, lifetime: timedelta = LIFETIME, scope: TokenScope | None = None
    ) -> tuple[str, int]:
        """Return a token for `audience` and the epoch second at which it expires; without `scope` it opens all.

        `aud` is the requested resource to the letter and `tid` is there because the SDK reads both (azure-ai-ml
        1.35, pipeline and user-identity jobs).
        """
        now = self._clock()
        expires = int((now + lifetime).timestamp())
        claims: dict[str, str | int] = {
            "aud": audience,
            "iss": self._issuer,
            "tid": TENANT,
            "oid": _OBJECT,
            "name": "amlocal user",
            "iat": int(now.timestamp()),
            "exp": expires,
        }
        if scope is not None:
            claims |= {"job": scope.job, "whole": scope.whole, "name": f"job {scope.job}"}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM), expires

    def check(self, token: str, *, audiences: Collection[str] = ()) -> str | None:
        """Return the job whose own things alone `token` opens, None when it opens all.

        Raises `Unauthorized` unless this workspace signed it, it has not expired, its job runs, and it is for one of
        `audiences`, if any.
        """
        scope = self.scope(token, audiences=audiences)
        return None if scope is None or scope.whole else scope.job

    def scope(self, token: str, *, audiences: Collection[str] = ()) -> TokenScope | None:
        """Return the scope of a token that `check` lets in, None for one that is no job's."""
        try:
            claims = jwt.decode(token, self._key, [_ALGORITHM], options=_CHECKS, issuer=self._issuer)
        except jwt.InvalidIssuerError as error:
            raise Unauthorized(
                "The access token is from another workspace. Run under this one's 'amlocal exec'."
            ) from error
        except jwt.PyJWTError as error:
            raise Unauthorized("The access token is not one that this workspace signed.") from error
        if int(claims["exp"]) <= self._clock().timestamp():
            raise Unauthorized("The access token has expired. Ask for a new one (azure-identity does so by itself).")
        if audiences and str(claims.get("aud")).rstrip("/") not in audiences:
            raise Unauthorized(f"The access token is for {claims.get('aud')}; ask for one for {', '.join(audiences)}.")
        if "job" not in claims:
            return None
        if not self._runs(claims["job"]):
            raise Unauthorized(f"The access token is that of job {claims['job']}, and ended with it.")
        return TokenScope(claims["job"], bool(claims.get("whole")))

    def check_header(self, header: str, *, audiences: Collection[str] = ()) -> str | None:
        """Return what `check` does for `Bearer` and a token. Raises `Unauthorized` for any other header as well."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized(
                "No access token. Run the program under 'amlocal exec -- COMMAND', with DefaultAzureCredential."
            )
        return self.check(token.strip(), audiences=audiences)
