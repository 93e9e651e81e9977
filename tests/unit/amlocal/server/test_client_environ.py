from pathlib import Path

import pytest

from amlocal.client import client_environ
from amlocal.core.context import Identity
from amlocal.core.paths import Folder
from amlocal.identity.secrets import Secrets
from amlocal.identity.tokens import Tokens
from tests.unit.amlocal.blobs.wire import ManualClock

IDENTITY = Identity("sub", "rg", "ws", "guid")
SECRETS = Secrets(identity="i" * 40, signing="s" * 40, storage="k")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return client_environ("https://127.0.0.1:1", Folder(tmp_path), IDENTITY, SECRETS, clock=ManualClock())


def test_a_program_is_led_to_the_metadata_and_to_its_token(environ: dict[str, str]) -> None:
    assert environ["ARM_CLOUD_METADATA_URL"] == "https://127.0.0.1:1/metadata"
    assert (environ["IDENTITY_ENDPOINT"], environ["IDENTITY_HEADER"]) == ("https://127.0.0.1:1/msi/token", "i" * 40)
    assert environ["AZURE_TOKEN_CREDENTIALS"] == "ManagedIdentityCredential"


def test_a_program_trusts_the_bundle(environ: dict[str, str], tmp_path: Path) -> None:
    assert environ["REQUESTS_CA_BUNDLE"] == str(tmp_path / "ca-bundle.pem")


def test_a_program_knows_which_workspace_it_is_under_azures_names(environ: dict[str, str]) -> None:
    names = [environ[f"AZUREML_ARM_{key}"] for key in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
    assert names == ["sub", "rg", "ws"]


def test_the_token_for_mlflow_is_good_for_a_month(environ: dict[str, str]) -> None:
    clock = ManualClock()
    clock.advance(days=29)
    Tokens(SECRETS.signing, IDENTITY.guid, clock).check(environ["MLFLOW_TRACKING_TOKEN"])


def test_every_variable_is_text(environ: dict[str, str]) -> None:
    assert all(isinstance(value, str) and value for value in environ.values())
