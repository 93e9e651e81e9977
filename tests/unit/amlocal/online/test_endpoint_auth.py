from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import BadRequest, Unauthorized
from amlocal.online.router import EndpointAuth, auth_mode, new_keys
from tests.unit.amlocal.blobs.wire import ManualClock

KEYS = {"primaryKey": "p" * 43, "secondaryKey": "s" * 43}
KEYED: dict[str, Any] = {"authMode": "Key", "keys": KEYS}
TOKENED: dict[str, Any] = {"authMode": "AMLToken", "keys": KEYS}
KNOWN: dict[str, Any] = {"authMode": "AADToken", "keys": KEYS}
SIGNING = "x" * 32


def only_good(header: str) -> None:
    if header != "Bearer good":
        raise Unauthorized("not good")


def access(clock: ManualClock | None = None, key: str = SIGNING) -> EndpointAuth:
    return EndpointAuth(key, clock or ManualClock(), only_good)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_other_text_than_a_key_opens_an_endpoint(text: str) -> None:
    opens = access().denial("ep", KEYED, f"Bearer {text}") is None
    assert opens == (text.strip() in KEYS.values())


@pytest.mark.parametrize("key", KEYS.values())
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_either_key_opens_an_endpoint(key: str, scheme: str) -> None:
    assert access().denial("ep", KEYED, f"{scheme} {key}") is None


@pytest.mark.parametrize("header", ["", KEYS["primaryKey"], f"Basic {KEYS['primaryKey']}"])
def test_a_key_that_does_not_come_as_bearer_is_refused(header: str) -> None:
    assert access().denial("ep", KEYED, header) == "key_auth_access_denied"


@pytest.mark.parametrize("name", ["ep", "EP"])
def test_a_token_opens_its_endpoint_however_that_is_spelt(name: str) -> None:
    token = access().token("Ep")["accessToken"]
    assert access().denial(name, TOKENED, f"Bearer {token}") is None


def test_a_token_says_when_it_ends_and_when_to_ask_for_another() -> None:
    clock = ManualClock()
    token = access(clock).token("ep")
    now = int(clock().timestamp())
    assert (token["expiryTimeUtc"] - now, token["refreshAfterTimeUtc"] - now) == (24 * 3600, 12 * 3600)
    assert token["tokenType"] == "Bearer"


@pytest.mark.parametrize(("hours", "denial"), [(23.99, None), (24.01, "token_auth_access_denied")])
def test_a_token_opens_for_a_day(hours: float, denial: str | None) -> None:
    clock = ManualClock()
    token = access(clock).token("ep")["accessToken"]
    clock.now += timedelta(hours=hours)
    assert access(clock).denial("ep", TOKENED, f"Bearer {token}") == denial


@pytest.mark.parametrize(
    "token",
    [
        access().token("other")["accessToken"],
        access(key="y" * 32).token("ep")["accessToken"],
        jwt.encode({"aud": "else", "sub": "ep", "exp": 9e9}, SIGNING),
        jwt.encode({"aud": "azureml", "exp": 9e9}, SIGNING),
        "nonsense",
        KEYS["primaryKey"],
    ],
)
def test_no_other_token_opens_an_endpoint(token: str) -> None:
    assert access().denial("ep", TOKENED, f"Bearer {token}") == "token_auth_access_denied"


@pytest.mark.parametrize(("header", "denial"), [("Bearer good", None), ("Bearer bad", "aad_auth_access_denied")])
def test_an_endpoint_of_aad_tokens_asks_the_workspace(header: str, denial: str | None) -> None:
    assert access().denial("ep", KNOWN, header) == denial


@pytest.mark.parametrize(
    ("sent", "mode"),
    [("key", "Key"), ("aml_token", "AMLToken"), ("AADToken", "AADToken"), ("aadToken", "AADToken"), (None, "Key")],
)
def test_a_mode_comes_back_as_azure_spells_it(sent: str | None, mode: str) -> None:
    assert auth_mode(sent) == mode


def test_another_mode_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match=r"'none'.*AMLToken"):
        auth_mode("none")


def test_new_keys_are_never_those_of_before() -> None:
    found = [key for _ in range(20) for key in new_keys().values()]
    assert len(set(found)) == 40
