"""What an endpoint takes from the environment of the process, and that nothing else changes a request."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from mlgates.core.errors import WorkspaceUnavailable
from mlgates.endpoint_client import JSON_HEADERS, Address, EndpointClient, ScoringRequest, ask

URI = "https://host/score"
KEY = "the-key-that-nobody-sees"
BODY = b'{"input_data": [[1]]}'


class Wire(BaseAdapter):
    """Stands where the network stands: keeps what was sent, and answers, or raises `error`."""

    def __init__(self, error: requests.RequestException | None = None) -> None:
        super().__init__()
        self.sent: list[requests.PreparedRequest] = []
        self.options: dict[str, Any] = {}
        self._error = error

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        self.sent.append(request)
        self.options = options
        if self._error:
            raise self._error
        response = requests.Response()
        response.status_code, response._content, response.url = 200, b"[1]", URI
        return response

    def close(self) -> None:
        """Nothing is open."""


Reach = Callable[..., EndpointClient]


@pytest.fixture
def reach() -> Iterator[Reach]:
    """Opens an endpoint over a wire."""
    opened: list[EndpointClient] = []

    def open_endpoint(wire: Wire) -> EndpointClient:
        endpoint = EndpointClient(Address(URI, KEY), timeout_s=7)
        endpoint._session.mount("https://", wire)
        opened.append(endpoint)
        return endpoint

    yield open_endpoint
    for endpoint in opened:
        endpoint.close()


def test_a_request_is_posted_as_it_is_with_the_key(reach: Reach) -> None:
    wire = Wire()
    answer = ask(reach(wire), ScoringRequest(BODY))
    (sent,) = wire.sent
    assert (sent.method, sent.url, sent.body) == ("POST", URI, BODY)
    assert (sent.headers["Authorization"], sent.headers["Content-Type"]) == (f"Bearer {KEY}", "application/json")
    assert (answer.status, answer.json()) == (200, [1])


def test_no_content_type_is_added_where_the_request_has_none(reach: Reach) -> None:
    wire = Wire()
    reach(wire).score(BODY, {})
    assert "Content-Type" not in wire.sent[0].headers


def test_a_password_file_does_not_take_the_place_of_the_key(
    reach: Reach, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("home") / "netrc"
    file.write_text("machine host login me password other\n")
    monkeypatch.setenv("NETRC", str(file))
    wire = Wire()
    reach(wire).score(BODY, JSON_HEADERS)
    assert wire.sent[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(("bundle", "verify"), [("/ca.pem", "/ca.pem"), ("", True), (None, True)])
def test_the_authorities_of_the_environment_are_trusted(
    reach: Reach, monkeypatch: pytest.MonkeyPatch, bundle: str | None, verify: object
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    if bundle is not None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    wire = Wire()
    reach(wire).score(BODY, JSON_HEADERS)
    assert (wire.options["verify"], wire.options["timeout"]) == (verify, 7)


@pytest.mark.parametrize("error", [requests.ConnectionError("refused"), requests.Timeout("too slow")])
def test_an_endpoint_out_of_reach_is_named(reach: Reach, error: requests.RequestException) -> None:
    with pytest.raises(WorkspaceUnavailable, match=f"{URI} cannot be reached: {error}"):
        reach(Wire(error)).score(BODY, JSON_HEADERS)
