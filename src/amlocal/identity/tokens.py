"""Access tokens: what the managed-identity endpoint hands out and every other call must bring."""

from collections.abc import Collection
from datetime import timedelta

import jwt
from jwt.types import Options

from amlocal.core.clock import Clock
from amlocal.core.context import TENANT
from amlocal.core.errors import Unauthorized

LIFETIME = timedelta(hours=24)
_ALGORITHM = "HS256"
_OBJECT = "33333333-3333-3333-3333-333333333333"
# Any audience will do where one server answers for all; the times are checked by the clock that was handed in.
_CHECKS: Options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "require": ["exp", "iss"]}


class Tokens:
    """Issues and checks JWTs signed with the workspace's key.

    `issuer` is the workspace's GUID: a token of a neighbouring workspace is refused even if their keys were copied.
    """

    def __init__(self, key: str, issuer: str, clock: Clock) -> None:
        self._key = key
        self._issuer = issuer
        self._clock = clock

    def issue(self, audience: str, *, lifetime: timedelta = LIFETIME) -> tuple[str, int]:
        """Return a token for `audience` and the epoch second at which it expires.

        `aud` is the requested resource to the letter and `tid` is there because the SDK reads both (azure-ai-ml
        1.35, pipeline and user-identity jobs).
        """
        now = self._clock()
        expires = int((now + lifetime).timestamp())
        claims = {
            "aud": audience,
            "iss": self._issuer,
            "tid": TENANT,
            "oid": _OBJECT,
            "name": "amlocal user",
            "iat": int(now.timestamp()),
            "exp": expires,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM), expires

    def check(self, token: str, *, audiences: Collection[str] = ()) -> None:
        """Raise `Unauthorized` unless this workspace signed `token`, it has not expired, and is for an audience."""
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

    def check_header(self, header: str, *, audiences: Collection[str] = ()) -> None:
        """Raise `Unauthorized` unless `header` is `Bearer` and a valid token for one of `audiences`, if any."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized(
                "No access token. Run the program under 'amlocal exec -- COMMAND', with DefaultAzureCredential."
            )
        self.check(token.strip(), audiences=audiences)
