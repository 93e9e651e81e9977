"""The routes that need no token yet: the cloud's metadata and the managed-identity endpoint."""

import contextlib
import hmac

from amlocal.core.context import STORAGE_SUFFIX, Context
from amlocal.core.errors import BadRequest, Unauthorized
from amlocal.core.http import Call, Reply, Route
from amlocal.identity.secrets import Secrets
from amlocal.identity.tokens import Tokens, TokenScope

CLOUD = "amlocal"
# Where azure.ai.ml.identity's AzureMLOnBehalfOfCredential asks: it sends no header, so the secret is in the query.
OBO_PATH = "/msi/obo"
# azure-ai-ml derives its audience from the portal: what remains after the first two pieces (WIRE "Metadata").
_PORTAL = "https://portal.local.local/"
ML_AUDIENCE = "https://ml.azure.local"
# Azure's own, which its documentation has people ask for, is as good.
SCORING_AUDIENCES = (ML_AUDIENCE, "https://ml.azure.com")


def routes(context: Context, secrets: Secrets, tokens: Tokens) -> list[Route]:
    """Return the metadata and token routes."""

    def metadata(_: Call) -> Reply:
        cloud = {
            "name": CLOUD,
            "portal": _PORTAL,
            "resourceManager": f"{context.origin}/",
            "authentication": {"loginEndpoint": f"{context.origin}/login", "audiences": [context.origin]},
            "suffixes": {"storage": STORAGE_SUFFIX},
        }
        return Reply(200, [cloud])

    def caller(secret: str) -> TokenScope | None:
        """Return whom a token is for: the person who has the workspace's secret, or a job, whose secret is a token."""
        if hmac.compare_digest(secret.encode(), secrets.identity.encode()):
            return None
        with contextlib.suppress(Unauthorized):
            if (scope := tokens.scope(secret)) is not None:
                return scope
        raise Unauthorized("The identity secret (X-IDENTITY-HEADER) is missing or wrong.")

    def token(call: Call) -> Reply:
        return issue(call, call.headers.get("x-identity-header", ""))

    def on_behalf_of(call: Call) -> Reply:
        return issue(call, call.query.get("identity", ""))

    def issue(call: Call, secret: str) -> Reply:
        scope = caller(secret)
        call.mark_authenticated()
        resource = call.query.get("resource", "")
        if not resource:
            raise BadRequest("The query key 'resource' is missing: which audience is the token for?")
        access_token, expires = tokens.issue(resource, scope=scope)
        body = {
            "access_token": access_token,
            "expires_on": str(expires),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": call.query.get("client_id", ""),
        }
        return Reply(200, body, {"Cache-Control": "no-store"})

    return [
        Route("GET", "/metadata", metadata, auth="open", streaming=True),
        Route("GET", "/msi/token", token, auth="open", streaming=True),
        Route("GET", OBO_PATH, on_behalf_of, auth="open", streaming=True),
    ]
