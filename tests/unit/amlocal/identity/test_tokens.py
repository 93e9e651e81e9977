from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import Unauthorized
from amlocal.identity.tokens import LIFETIME, Tokens, TokenScope
from tests.unit.amlocal.blobs.wire import START, ManualClock

KEY = "signing key of at least thirty-two bytes"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens(clock: ManualClock) -> Tokens:
    return Tokens(KEY, "workspace", clock)


def claims(token: str) -> dict[str, object]:
    """Read a token as the SDK does: without looking at its signature."""
    read: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return read


def test_a_token_that_was_issued_is_taken(tokens: Tokens) -> None:
    tokens.check(tokens.issue("any")[0])


@given(st.text(st.characters(codec="utf-8")))
def test_the_audience_is_the_resource_to_the_letter(resource: str) -> None:
    token, _ = Tokens(KEY, "workspace", ManualClock()).issue(resource)
    assert claims(token)["aud"] == resource


def test_the_sdk_finds_a_tenant(tokens: Tokens) -> None:
    assert claims(tokens.issue("any")[0])["tid"]


def test_the_expiry_that_is_reported_is_the_one_in_the_token(tokens: Tokens) -> None:
    token, expires = tokens.issue("any")
    assert claims(token)["exp"] == expires == int((START + LIFETIME).timestamp())


def test_a_token_is_good_until_its_last_second(tokens: Tokens, clock: ManualClock) -> None:
    token, _ = tokens.issue("any")
    clock.now += LIFETIME - timedelta(seconds=1)
    tokens.check(token)


def test_a_token_that_has_expired_is_refused(tokens: Tokens, clock: ManualClock) -> None:
    token, _ = tokens.issue("any")
    clock.now += LIFETIME
    with pytest.raises(Unauthorized, match="has expired"):
        tokens.check(token)


def test_a_lifetime_can_be_chosen(tokens: Tokens, clock: ManualClock) -> None:
    token, _ = tokens.issue("any", lifetime=timedelta(days=30))
    clock.advance(days=29)
    tokens.check(token)


def test_a_token_of_another_workspace_is_refused_even_with_the_same_key(tokens: Tokens, clock: ManualClock) -> None:
    with pytest.raises(Unauthorized, match="another workspace"):
        tokens.check(Tokens(KEY, "neighbour", clock).issue("any")[0])


def test_a_token_of_another_key_is_refused(tokens: Tokens, clock: ManualClock) -> None:
    with pytest.raises(Unauthorized, match="not one that this workspace signed"):
        tokens.check(Tokens(KEY[::-1], "workspace", clock).issue("any")[0])


@given(st.data())
def test_a_token_with_one_other_character_is_refused(data: st.DataObject) -> None:
    tokens = Tokens(KEY, "workspace", ManualClock())
    token, _ = tokens.issue("any")
    # Not the last: base64 leaves two of its bits unused.
    place = data.draw(st.integers(0, len(token) - 2))
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    other = data.draw(st.sampled_from(letters).filter(lambda letter: letter != token[place]))
    with pytest.raises(Unauthorized):
        tokens.check(f"{token[:place]}{other}{token[place + 1 :]}")


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_a_token_of_another_algorithm_is_refused(tokens: Tokens, algorithm: str) -> None:
    key = "" if algorithm == "none" else KEY * 2
    forged = jwt.encode(claims(tokens.issue("any")[0]), key, algorithm=algorithm)
    with pytest.raises(Unauthorized):
        tokens.check(forged)


@pytest.mark.parametrize("missing", ["exp", "iss"])
def test_a_token_that_lacks_a_claim_is_refused(tokens: Tokens, missing: str) -> None:
    rest = {name: value for name, value in claims(tokens.issue("any")[0]).items() if name != missing}
    with pytest.raises(Unauthorized):
        tokens.check(jwt.encode(rest, KEY, algorithm="HS256"))


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_the_scheme_is_read_in_any_case(tokens: Tokens, scheme: str) -> None:
    tokens.check_header(f"{scheme}{tokens.issue('any')[0]}")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "SharedKey devstore:abc"])
def test_a_header_without_a_token_says_how_to_get_one(tokens: Tokens, header: str) -> None:
    with pytest.raises(Unauthorized, match="amlocal exec"):
        tokens.check_header(header)


@given(st.text(max_size=200))
def test_no_header_is_more_than_unauthorized(header: str) -> None:
    with pytest.raises(Unauthorized):
        Tokens(KEY, "workspace", ManualClock()).check_header(header)


@pytest.mark.parametrize("audience", ["https://ml", "https://ml/"])
def test_a_token_for_the_audience_that_is_asked_for_passes(tokens: Tokens, audience: str) -> None:
    tokens.check_header(f"Bearer {tokens.issue(audience)[0]}", audiences=["https://other", "https://ml"])


def test_a_token_for_another_audience_is_refused_by_name(tokens: Tokens) -> None:
    with pytest.raises(Unauthorized, match="for https://management; ask for one for https://ml"):
        tokens.check_header(f"Bearer {tokens.issue('https://management')[0]}", audiences=["https://ml"])


@pytest.mark.parametrize(("whole", "opens"), [(False, "mine"), (True, None)])
def test_a_jobs_token_opens_its_own_until_it_ends(whole: bool, opens: str | None) -> None:
    running = {"mine"}
    tokens = Tokens(KEY, "workspace", ManualClock(), running.__contains__)
    token, _ = tokens.issue("any", scope=TokenScope("mine", whole))
    assert tokens.check(token) == opens
    assert tokens.scope(token) == TokenScope("mine", whole)
    running.clear()
    with pytest.raises(Unauthorized, match="ended with it"):
        tokens.check(token)


def test_a_token_that_is_no_jobs_opens_all() -> None:
    tokens = Tokens(KEY, "workspace", ManualClock())
    assert tokens.check(tokens.issue("any")[0]) is None
    assert tokens.scope(tokens.issue("any")[0]) is None


def test_no_job_runs_where_nobody_says_so() -> None:
    tokens = Tokens(KEY, "workspace", ManualClock())
    with pytest.raises(Unauthorized, match="ended"):
        tokens.check(tokens.issue("any", scope=TokenScope("mine"))[0])
