"""Who may call an endpoint: its keys, its tokens, or the workspace's own."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import jwt
from jwt.types import Options

from amlocal.core.context import Clock
from amlocal.core.errors import BadRequest, Unauthorized

AUTH_MODES = {"key": "Key", "amltoken": "AMLToken", "aadtoken": "AADToken"}
_LIFETIME, _REFRESH = timedelta(hours=24), timedelta(hours=12)
_AUDIENCE = "azureml"
_JWT_OPTIONS: Options = {"verify_exp": False, "verify_iat": False, "require": ["exp", "sub"]}


def auth_mode(text: str | None) -> str:
    """Return an authentication mode as Azure spells it. Raises `BadRequest`."""
    found = AUTH_MODES.get((text or "Key").lower().replace("_", ""))
    if found is None:
        raise BadRequest(f"The authMode {text!r} is not one of {', '.join(AUTH_MODES.values())}.")
    return found


def new_keys() -> dict[str, str]:
    """Return a fresh pair of keys."""
    return {"primaryKey": secrets.token_urlsafe(32), "secondaryKey": secrets.token_urlsafe(32)}


class EndpointAuth:
    """Checks callers of endpoints, and issues their tokens. `check_aad` takes an Authorization header."""

    def __init__(self, signing_key: str, clock: Clock, check_aad: Callable[[str], object]) -> None:
        self._key = signing_key
        self._clock = clock
        self._check_aad = check_aad

    def token(self, endpoint: str) -> dict[str, Any]:
        """Return a token that opens this one endpoint for 24 hours, in the shape of the ARM answer."""
        now = self._clock()
        expires = int((now + _LIFETIME).timestamp())
        claims = {"aud": _AUDIENCE, "iss": _AUDIENCE, "sub": endpoint.lower(), "exp": expires}
        return {
            "accessToken": jwt.encode(claims, self._key, algorithm="HS256"),
            "tokenType": "Bearer",
            "expiryTimeUtc": expires,
            "refreshAfterTimeUtc": int((now + _REFRESH).timestamp()),
        }

    def denial(self, endpoint: str, body: Mapping[str, Any], authorization: str) -> str | None:
        """Return None for a caller that may score, else the text of the 401."""
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip() if scheme.lower() == "bearer" else ""
        mode = body["authMode"]
        if mode == "Key":
            # Both are compared, so that the time tells nothing.
            matches = [hmac.compare_digest(credential.encode(), key.encode()) for key in body["keys"].values()]
            return None if any(matches) else "key_auth_access_denied"
        if mode == "AMLToken":
            return None if self._is_token(endpoint, credential) else "token_auth_access_denied"
        try:
            self._check_aad(authorization)
        except Unauthorized:
            return "aad_auth_access_denied"
        return None

    def _is_token(self, endpoint: str, token: str) -> bool:
        try:
            claims = jwt.decode(token, self._key, ["HS256"], options=_JWT_OPTIONS, audience=_AUDIENCE)
        except jwt.PyJWTError:
            return False
        return claims["sub"] == endpoint.lower() and int(claims["exp"]) > self._clock().timestamp()
