import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from amlocal.core.errors import AmlocalError
from amlocal.jobs.preparation import download
from amlocal.jobs.status import Interrupted, JobFailure
from tests.unit.amlocal.jobs.test_job_inputs import Materialised, spec
from tests.unit.amlocal.jobs.workspace import JobWorkspace


class Pages(BaseHTTPRequestHandler):
    """A site of a few pages."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/data/diabetes%20set.csv")
            self.end_headers()
        elif self.path == "/missing.csv":
            self.send_error(404)
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"too little")
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a,b\n1,2\n")

    def log_message(self, *words: object) -> None:
        """WriteLog nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def going_on() -> threading.Event:
    return threading.Event()


def test_a_file_is_fetched_under_its_own_name(site: str, tmp_path: Path, going_on: threading.Event) -> None:
    found = download("data", f"{site}/data/diabetes%20set.csv?sig=x#top", tmp_path, going_on)
    assert (found.name, found.read_bytes()) == ("diabetes set.csv", b"a,b\n1,2\n")


def test_redirects_are_followed(site: str, tmp_path: Path, going_on: threading.Event) -> None:
    assert download("data", f"{site}/moved", tmp_path, going_on).read_bytes() == b"a,b\n1,2\n"


@pytest.mark.parametrize("path", ["/missing.csv", "/short"])
def test_what_cannot_be_fetched_is_a_clear_failure(
    site: str, tmp_path: Path, going_on: threading.Event, path: str
) -> None:
    with pytest.raises(JobFailure, match=f"The input data cannot be fetched from {site}{path}"):
        download("data", f"{site}{path}", tmp_path, going_on)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://[::1/x", "http://\x7f/"])
def test_an_address_where_nobody_is_is_a_clear_failure(tmp_path: Path, going_on: threading.Event, url: str) -> None:
    with pytest.raises(AmlocalError, match="cannot be fetched"):
        download("data", url, tmp_path, going_on)


def test_a_job_that_is_to_stop_stops_fetching(site: str, tmp_path: Path, going_on: threading.Event) -> None:
    going_on.set()
    with pytest.raises(Interrupted):
        download("data", f"{site}/big", tmp_path, going_on)


def test_an_https_input_is_fetched_for_the_job(site: str, workspace: JobWorkspace) -> None:
    materialise = Materialised(workspace, workspace.job_folder().inputs)
    assert materialise(data=spec(f"{site}/x.csv", "uri_file"))["data"].read_bytes() == b"a,b\n1,2\n"
