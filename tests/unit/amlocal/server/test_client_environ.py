from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from amlocal.client import cli_environ, client_environ, direct_environ
from amlocal.core.context import Identity
from amlocal.core.paths import WorkspaceFolder
from amlocal.identity.secrets import Secrets
from amlocal.identity.tokens import Tokens
from tests.unit.amlocal.blobs.wire import ManualClock

IDENTITY = Identity("sub", "rg", "ws", "guid")
SECRETS = Secrets(identity="i" * 40, signing="s" * 40, storage="k")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return client_environ("https://127.0.0.1:1", WorkspaceFolder(tmp_path), IDENTITY, SECRETS, clock=ManualClock())


def test_a_program_is_led_to_the_metadata_and_to_its_token(environ: dict[str, str]) -> None:
    assert environ["ARM_CLOUD_METADATA_URL"] == "https://127.0.0.1:1/metadata"
    assert (environ["IDENTITY_ENDPOINT"], environ["IDENTITY_HEADER"]) == ("https://127.0.0.1:1/msi/token", "i" * 40)
    assert environ["AZURE_TOKEN_CREDENTIALS"] == "ManagedIdentityCredential"


def test_a_program_trusts_the_bundle(environ: dict[str, str], tmp_path: Path) -> None:
    assert environ["REQUESTS_CA_BUNDLE"] == str(tmp_path / "ca-bundle.pem")


def test_a_program_that_does_not_ask_requests_trusts_the_bundle_too(environ: dict[str, str], tmp_path: Path) -> None:
    assert environ["SSL_CERT_FILE"] == str(tmp_path / "ca-bundle.pem")


@given(config=st.sampled_from(["", "/home/me/.azure", "/etc/az"]), extensions=st.sampled_from(["", "/opt/extensions"]))
def test_azure_cli_notes_things_in_the_workspace_and_keeps_the_persons_extensions(config: str, extensions: str) -> None:
    before = {"AZURE_CONFIG_DIR": config, "AZURE_EXTENSION_DIR": extensions}
    after = cli_environ(WorkspaceFolder(Path("/w")), before)
    assert after["AZURE_CONFIG_DIR"] == "/w/azure-cli"
    assert after["AZURE_EXTENSION_DIR"] == (extensions or f"{config or Path.home() / '.azure'}/cliextensions")
    assert cli_environ(WorkspaceFolder(Path("/w")), after) == after


def test_a_program_knows_which_workspace_it_is_under_azures_names(environ: dict[str, str]) -> None:
    names = [environ[f"AZUREML_ARM_{key}"] for key in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
    assert names == ["sub", "rg", "ws"]


def test_the_token_for_mlflow_is_good_for_a_month(environ: dict[str, str]) -> None:
    clock = ManualClock()
    clock.advance(days=29)
    Tokens(SECRETS.signing, IDENTITY.guid, clock).check(environ["MLFLOW_TRACKING_TOKEN"])


def test_every_variable_is_text(environ: dict[str, str]) -> None:
    assert all(isinstance(value, str) and value for value in environ.values())


HOSTS = st.lists(
    st.sampled_from(["example.org", ".corp", "10.0.0.0/8", "127.0.0.1", "localhost", " a ", ""]), max_size=4
)


@given(HOSTS | st.none(), HOSTS | st.none())
def test_no_proxy_is_completed_in_both_spellings(upper: list[str] | None, lower: list[str] | None) -> None:
    before = {"NO_PROXY": upper, "no_proxy": lower}
    said = {name: ",".join(hosts) for name, hosts in before.items() if hosts is not None}
    after = direct_environ({"HTTPS_PROXY": "http://proxy:3128", **said})
    assert after.keys() == {"NO_PROXY", "no_proxy"}
    (value,) = set(after.values())
    hosts = value.split(",")
    wanted = {host.strip() for host in [*(upper or []), *(lower or [])]} - {""}
    assert set(hosts) == wanted | {"127.0.0.1", "localhost"}
    assert len(hosts) == len(set(hosts))
    assert direct_environ(after) == after


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_who_asks_no_proxy_at_all_goes_on_so(name: str) -> None:
    assert direct_environ({name: "*"}) == {"NO_PROXY": "*", "no_proxy": "*"}


@pytest.mark.parametrize("proxy", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("no_proxy", [{}, {"NO_PROXY": "example.org"}, {"no_proxy": ""}, {"no_proxy": "example.org"}])
def test_requests_goes_here_directly_and_elsewhere_by_the_proxy(
    monkeypatch: pytest.MonkeyPatch, proxy: str, no_proxy: dict[str, str]
) -> None:
    before = {proxy: "http://proxy:3128", **no_proxy}
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (before | direct_environ(before)).items():
        monkeypatch.setenv(name, value)
    assert requests.utils.get_environ_proxies("https://127.0.0.1:8443/metadata").get("https") is None
    proxies = requests.utils.get_environ_proxies("https://pypi.org/simple")
    assert requests.utils.select_proxy("https://pypi.org/simple", proxies) == "http://proxy:3128"
