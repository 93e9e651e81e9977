from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from diabetes_dataset import origin
from tests.unit.diabetes import frames

PUBLISHED = frames.cohort(rows=30, seed=1).to_csv(index=False).encode()
"""What these tests take for the published data set."""

OTHER = frames.cohort(rows=40, seed=2).to_csv(index=False).encode()
"""A person's own data: can be trained on, published by no one."""


@dataclass(frozen=True)
class Website:
    """A web server on loopback."""

    url: str
    answers: list[tuple[int, bytes, int]]
    """The last is sent: a status, a body, and the length that the header tells."""

    def answer(self, status: int, body: bytes = b"", *, told_length: int | None = None) -> None:
        self.answers.append((status, body, len(body) if told_length is None else told_length))


class _Handler(BaseHTTPRequestHandler):
    answers: list[tuple[int, bytes, int]]

    def do_GET(self) -> None:
        status, body, told_length = self.answers[-1]
        self.send_response(status)
        self.send_header("Content-Length", str(told_length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Be quiet."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def website() -> Iterator[Website]:
    answers: list[tuple[int, bytes, int]] = []
    handler = type("Handler", (_Handler,), {"answers": answers})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        site = Website(f"http://127.0.0.1:{server.server_port}/diabetes.csv", answers)
        site.answer(200, PUBLISHED)
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def offline() -> str:
    """An address that refuses: port 9 of loopback (discard) is served by nobody."""
    return "http://127.0.0.1:9/diabetes.csv"


Declare = Callable[[str], Path]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    """Write a source file for an address of the published data set."""

    def write(url: str) -> Path:
        path = tmp_path / "source.toml"
        path.write_text(f'url = "{url}"\nsha256 = "{origin.digest(PUBLISHED)}"\n')
        return path

    return write


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "data" / "diabetes.csv"
