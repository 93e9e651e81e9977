"""An endpoint over HTTP: what is sent, what is kept of the exchange, and what never is."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mlgates.core.errors import WorkspaceUnavailable
from mlgates.endpoint_client import (
    MODEL_STATUS,
    Address,
    EndpointClient,
    Exchange,
    ScoringRequest,
    ScoringResponse,
    is_here,
)


class Echo(ThreadingHTTPServer):
    """Answers `[1]`, and keeps the headers of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.seen: list[dict[str, str]] = []

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/score"


class Answering(BaseHTTPRequestHandler):
    server: Echo

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(200)
        self.send_header("X-Request-ID", "r-1")
        self.send_header("azureml-model-deployment", "blue")
        self.end_headers()
        self.wfile.write(b"[1]")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def asked(address: Address) -> Exchange:
    endpoint = EndpointClient(address)
    endpoint.score(b"{}", {"Content-Type": "application/json"})
    endpoint.close()
    assert endpoint.last is not None
    return endpoint.last


def test_without_a_key_nothing_is_sent_in_its_place(echo: Echo) -> None:
    asked(Address(echo.uri, ""))
    assert "authorization" not in echo.seen[-1]


def test_a_deployment_is_asked_by_name(echo: Echo) -> None:
    asked(Address(echo.uri, "k", "green"))
    assert echo.seen[-1]["azureml-model-deployment"] == "green"


def test_without_a_name_the_traffic_decides(echo: Echo) -> None:
    asked(Address(echo.uri, "k"))
    assert "azureml-model-deployment" not in echo.seen[-1]


def test_the_exchange_reports_who_answered_and_under_which_id(echo: Echo) -> None:
    exchange = asked(Address(echo.uri, "k"))
    assert (exchange.deployment, exchange.request_id, exchange.answer.body) == ("blue", "r-1", b"[1]")


def test_an_answer_without_them_is_by_unknown() -> None:
    exchange = Exchange(ScoringRequest(b"{}"), ScoringResponse(200, b"[]"), "https://e/score", 0.1)
    assert (exchange.deployment, exchange.request_id) == ("unknown", "unknown")


def test_the_key_is_in_nothing_that_is_shown(echo: Echo) -> None:
    address = Address(echo.uri, "the key")
    exchange = asked(address)
    assert "the key" not in f"{address} {exchange} {exchange.curl}"


def test_the_line_that_repeats_a_request_trusts_whom_the_request_trusted() -> None:
    exchange = Exchange(ScoringRequest(b"{}"), ScoringResponse(200, b"[]"), "https://e/score", 0.1, "my ca.pem")
    assert "| curl --config - --cacert 'my ca.pem' https://e/score " in exchange.curl


PROXIES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("no_proxy", [None, "example.org"])
def test_this_machine_is_asked_past_any_proxy(
    echo: Echo, monkeypatch: pytest.MonkeyPatch, name: str, no_proxy: str | None
) -> None:
    for each in (*PROXIES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(each, raising=False)
    assert "--noproxy" not in asked(Address(echo.uri, "key")).curl
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    if no_proxy:
        monkeypatch.setenv("NO_PROXY", no_proxy)
    exchange = asked(Address(echo.uri, "key"))
    assert exchange.answer.status == 200
    assert f"--noproxy '*' {echo.uri}" in exchange.curl


def test_another_machine_is_asked_by_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    endpoint = EndpointClient(Address("https://score.example.org/score", "key"), timeout_s=5)
    with pytest.raises(WorkspaceUnavailable, match="proxy"):
        endpoint.score(b"{}", {})
    endpoint.close()


@pytest.mark.parametrize(
    ("uri", "here"),
    [
        ("https://127.0.0.1:8443/x", True),
        ("https://localhost/x", True),
        ("https://[::1]:1/x", True),
        ("https://127.example.org/x", False),
        ("https://10.0.0.1/x", False),
        ("nothing", False),
    ],
)
def test_only_this_machine_is_here(uri: str, here: bool) -> None:
    assert is_here(uri) is here


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (ScoringResponse(200, b""), 200),
        (ScoringResponse(424, b"", {MODEL_STATUS: "500"}), 500),
        (ScoringResponse(424, b"", {MODEL_STATUS.title(): "400"}), 400),
        (ScoringResponse(424, b"", {MODEL_STATUS: "unknown"}), 424),
        (ScoringResponse(424, b""), 424),
        (ScoringResponse(408, b"", {MODEL_STATUS: "500"}), 408),
    ],
)
def test_behind_a_424_is_the_status_of_the_models_process(answer: ScoringResponse, status: int) -> None:
    assert answer.model_status == status


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"message": "Gr\\u00f6\\u00dfe"}', '{"message": "Größe"}'),
        (b"plain", "plain"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_the_text_is_for_a_person(body: bytes, text: str) -> None:
    assert ScoringResponse(200, body).text == text


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (ScoringResponse(400, b""), 400),
        (ScoringResponse(424, b"", {"MS-AzureML-Model-Error-StatusCode": "500"}), 500),
        (ScoringResponse(424, b""), 424),
    ],
)
def test_the_models_own_status_is_read_behind_a_424(answer: ScoringResponse, status: int) -> None:
    assert answer.model_status == status


def test_the_text_of_an_answer_has_no_escapes() -> None:
    assert ScoringResponse(400, b'{"message": "Gr\\u00f6\\u00dfe"}').text == '{"message": "Größe"}'
