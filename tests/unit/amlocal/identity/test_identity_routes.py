import jwt
import pytest

from amlocal.identity.routes import ML_AUDIENCE
from amlocal.identity.secrets import load_secrets
from tests.unit.amlocal.asgi import ORIGIN, Client, Workspace

METADATA = f"{ORIGIN}/metadata"
TOKEN = f"{ORIGIN}/msi/token?api-version=2019-08-01&resource=https://ml.azure.local"


@pytest.fixture
def anonymous(workspace: Workspace) -> Client:
    """One who has no token yet."""
    return Client(workspace.app)


@pytest.fixture
def known(workspace: Workspace) -> dict[str, str]:
    return {"x-identity-header": load_secrets(workspace.settings.folder.secrets).identity}


def test_the_metadata_needs_no_token(anonymous: Client) -> None:
    cloud = anonymous("GET", METADATA).json[0]
    assert cloud["resourceManager"] == f"{ORIGIN}/"
    assert {"name", "portal", "authentication", "suffixes"} <= set(cloud)


def test_the_sdk_derives_the_audience_of_machine_learning_from_the_portal(anonymous: Client) -> None:
    portal = anonymous("GET", METADATA).json[0]["portal"]
    assert f"https://ml.azure.{portal.split('.', 2)[2].rstrip('/')}" == ML_AUDIENCE


def test_who_knows_the_secret_gets_a_token_that_opens_the_workspace(
    workspace: Workspace, anonymous: Client, known: dict[str, str]
) -> None:
    body = anonymous("GET", TOKEN, headers=known).json
    assert jwt.decode(body["access_token"], options={"verify_signature": False})["aud"] == body["resource"]
    assert Client(workspace.app, body["access_token"])("GET", workspace.arm).status == 200


def test_the_expiry_is_reported_as_text(anonymous: Client, known: dict[str, str]) -> None:
    assert anonymous("GET", TOKEN, headers=known).json["expires_on"].isdecimal()


def test_a_token_is_not_for_a_cache(anonymous: Client, known: dict[str, str]) -> None:
    assert anonymous("GET", TOKEN, headers=known).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{}, {"x-identity-header": ""}, {"x-identity-header": "wröng"}])
def test_who_does_not_know_the_secret_gets_none(anonymous: Client, headers: dict[str, str]) -> None:
    answer = anonymous("GET", TOKEN, headers=headers)
    assert (answer.status, answer.error["code"]) == (401, "InvalidAuthenticationToken")


def test_a_token_for_nothing_is_refused(anonymous: Client, known: dict[str, str]) -> None:
    answer = anonymous("GET", f"{ORIGIN}/msi/token", headers=known)
    assert answer.status == 400
    assert "resource" in answer.error["message"]


def test_without_a_token_the_workspace_is_closed(workspace: Workspace, anonymous: Client) -> None:
    assert anonymous("GET", workspace.arm).status == 401


def test_with_an_expired_token_the_workspace_is_closed(workspace: Workspace) -> None:
    workspace.clock.advance(hours=25)
    answer = workspace.ask("GET", workspace.arm)
    assert (answer.status, answer.error["message"]) == (
        401, "The access token has expired. Ask for a new one (azure-identity does so by itself).",
    )  # fmt: skip
