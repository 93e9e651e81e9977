import socket
import tempfile
import threading
from pathlib import Path

import pytest
import requests

from diabetes_dataset import origin
from diabetes_dataset.download import fetch
from diabetes_dataset.errors import DatasetError, Unavailable
from diabetes_dataset.source import Source
from tests.contract.diabetes_dataset.conftest import OTHER, PUBLISHED, Website


def published(url: str) -> Source:
    return Source(url, origin.digest(PUBLISHED))


def test_a_download_is_the_body_byte_for_byte(website: Website) -> None:
    assert fetch(published(website.url)) == PUBLISHED


@pytest.mark.parametrize("status", [404, 500])
def test_an_http_error_is_named_by_its_status(website: Website, status: int) -> None:
    website.answer(status)
    with pytest.raises(Unavailable, match=f"HTTP status {status}"):
        fetch(published(website.url))


def test_a_refused_connection_is_named(offline: str) -> None:
    with pytest.raises(Unavailable, match="Connection refused"):
        fetch(published(offline))


def test_a_refusing_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(Unavailable, match="Connection refused"):
        fetch(published("http://data.example/diabetes.csv"))


def test_a_host_without_address_is_named() -> None:
    with pytest.raises(Unavailable, match=r"http://data\.invalid/diabetes\.csv: \S"):
        fetch(published("http://data.invalid/diabetes.csv"))


def test_a_host_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/diabetes.csv"
        with pytest.raises(Unavailable, match=r"no answer within 0\.05 s|timed out"):
            fetch(published(url), patience_s=0.05)


def test_a_search_for_the_hosts_name_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    found = threading.Event()
    monkeypatch.setattr(requests, "get", lambda *_, **__: found.wait())
    with pytest.raises(Unavailable, match=r"no answer within 0\.01 s"):
        fetch(published("http://data.example/diabetes.csv"), patience_s=0.01)
    found.set()


def test_a_body_that_stops_early_is_no_download(website: Website) -> None:
    website.answer(200, PUBLISHED[:100], told_length=len(PUBLISHED))
    with pytest.raises(Unavailable, match="100 bytes read"):
        fetch(published(website.url))


def test_a_reason_does_not_repeat_what_libraries_wrap_around_it(offline: str) -> None:
    with pytest.raises(Unavailable) as caught:
        fetch(published(offline))
    assert "HTTPConnectionPool" not in str(caught.value)


def test_another_content_is_refused_with_both_checksums(website: Website) -> None:
    website.answer(200, OTHER)
    with pytest.raises(DatasetError, match="another checksum") as caught:
        fetch(published(website.url))
    assert origin.digest(PUBLISHED) in str(caught.value)
    assert origin.digest(OTHER) in str(caught.value)


def test_a_fetch_leaves_no_file_behind_and_says_nothing(
    website: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fetch(published(website.url))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
