import io
import os
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import ApiError, NotFound
from amlocal.core.http import Call
from amlocal.jobs.logs import JobLogs, as_text, whole_lines
from tests.unit.amlocal.jobs.workspace import JobWorkspace, run


@pytest.fixture
def logs(workspace: JobWorkspace) -> JobLogs:
    return JobLogs(workspace.context, workspace.folder, workspace.blobs, "signing-key")


def shown(logs: JobLogs, url: str) -> bytes:
    """Return what the URL of a log answers."""
    return run(_shown(logs, url))  # type: ignore[no-any-return]


async def _shown(logs: JobLogs, url: str) -> bytes:
    parts = urlsplit(url)
    job = parts.path.split("/")[2]

    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    call = Call("GET", "", url, {"job": job, "file": "std_log.txt"}, dict(parse_qsl(parts.query)), {}, nothing)
    reply: Any = await logs.routes()[0].handler(call)  # type: ignore[misc]  # this handler is asynchronous
    body: AsyncIterator[bytes] = reply.body
    return b"".join([piece async for piece in body])


def url_of(logs: JobLogs, job: str = "job") -> str:
    return logs.urls(job)["user_logs/std_log.txt"]


def test_a_job_that_was_not_begun_has_no_log(logs: JobLogs) -> None:
    assert logs.urls("job") == {}


def test_a_growing_log_is_shown_in_whole_lines(workspace: JobWorkspace, logs: JobLogs) -> None:
    workspace.job_folder().log.write_bytes(b"one\ntwo\nthr")
    assert shown(logs, url_of(logs)) == b"one\ntwo\n"


def test_a_log_without_a_whole_line_is_empty(workspace: JobWorkspace, logs: JobLogs) -> None:
    workspace.job_folder().log.write_bytes(b"thr")
    assert shown(logs, url_of(logs)) == b""


def test_a_kept_log_is_shown_to_its_last_character(workspace: JobWorkspace, logs: JobLogs) -> None:
    workspace.job_folder().log.write_bytes(b"one\n")
    workspace.blobs.put_bytes("azureml", "ExperimentRun/dcid.job/user_logs/std_log.txt", b"one\ntwo")
    assert shown(logs, url_of(logs)) == b"one\ntwo"


def test_bytes_that_are_no_text_are_shown_as_text(workspace: JobWorkspace, logs: JobLogs) -> None:
    workspace.job_folder().log.write_bytes(b"\xff caf\xc3\xa9\0\n")
    assert shown(logs, url_of(logs)).decode() == "\ufffd caf\u00e9\0\n"


@given(st.lists(st.binary(max_size=6), max_size=6))
def test_a_text_is_the_same_however_it_is_cut(pieces: list[bytes]) -> None:
    assert b"".join(as_text(iter(pieces))) == b"".join(pieces).decode(errors="replace").encode()


@given(st.text())
def test_what_is_text_stays_as_it_is(text: str) -> None:
    assert b"".join(as_text(iter([text.encode()]))) == text.encode()


def test_a_url_that_was_changed_is_refused(workspace: JobWorkspace, logs: JobLogs) -> None:
    workspace.job_folder().log.write_bytes(b"one\n")
    url = url_of(logs)
    for wrong in (url[:-1], url.replace("/job/", "/other/"), url.partition("?")[0], url + "\u00e9"):
        with pytest.raises(ApiError) as refused:
            shown(logs, wrong)
        assert refused.value.status == 403


def test_a_log_that_a_job_made_a_link_is_not_followed(workspace: JobWorkspace, logs: JobLogs, tmp_path: Path) -> None:
    folder = workspace.job_folder()
    (tmp_path / "secret").write_text("the secret\n")
    url = url_of(logs)
    folder.log.unlink()
    folder.log.symlink_to(tmp_path / "secret")
    with pytest.raises(NotFound):
        shown(logs, url)
    folder.log.unlink()
    folder.logs.rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / folder.log.name).write_text("the secret\n")
    folder.logs.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotFound):
        shown(logs, url)


def test_a_url_ends_in_time_and_nobody_puts_it_off(workspace: JobWorkspace, logs: JobLogs) -> None:
    workspace.job_folder().log.write_bytes(b"one\n")
    url, later = url_of(logs), "2099-01-01T00%3A00%3A00Z"
    expires = dict(parse_qsl(urlsplit(url).query))["se"]
    workspace.clock.advance(minutes=59)
    assert shown(logs, url) == b"one\n"
    workspace.clock.advance(minutes=2)
    with pytest.raises(ApiError, match=f"not valid in the specified time frame: it expired at {expires}") as refused:
        shown(logs, url)
    assert (refused.value.status, refused.value.code) == (403, "AuthenticationFailed")
    with pytest.raises(ApiError, match="not one that this workspace signed"):
        shown(logs, url.replace(expires.replace(":", "%3A"), later))
    assert shown(logs, url_of(logs)) == b"one\n"


def test_the_url_of_another_workspace_is_refused(workspace: JobWorkspace, logs: JobLogs) -> None:
    workspace.job_folder().log.write_bytes(b"one\n")
    other = JobLogs(workspace.context, workspace.folder, workspace.blobs, "another-key")
    with pytest.raises(ApiError, match="not one that this workspace signed"):
        shown(logs, url_of(other))


def test_a_log_that_is_gone_is_not_found(workspace: JobWorkspace, logs: JobLogs) -> None:
    folder = workspace.job_folder()
    url = url_of(logs)
    folder.remove()
    with pytest.raises(NotFound, match="Job job has no log"):
        shown(logs, url)


def test_a_log_of_any_size_takes_little_memory(workspace: JobWorkspace, logs: JobLogs) -> None:
    folder = workspace.job_folder()
    with folder.log.open("wb") as log:
        log.truncate(64 * 2**20)  # a hole: no disk is used
        log.seek(0, os.SEEK_END)
        log.write(b"\n")

    def size() -> int:
        return sum(len(piece) for piece in logs._open("job", "std_log.txt") or ())

    tracemalloc.start()
    assert size() == 64 * 2**20 + 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20


@given(st.binary(max_size=40), st.integers(1, 7))
def test_whole_lines_end_where_the_last_line_does(text: bytes, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("amlocal.jobs.logs._PIECE", piece)
        assert whole_lines(io.BytesIO(text)) == text.rfind(b"\n") + 1


def test_a_file_is_read_up_to_what_it_was_when_it_was_opened(
    workspace: JobWorkspace, logs: JobLogs, tmp_path: Path
) -> None:
    log = workspace.job_folder().log
    log.write_bytes(b"one\n")
    found = logs._open("job", "std_log.txt")
    assert found is not None
    with log.open("ab") as file:
        file.write(b"two\n")
    assert b"".join(found) == b"one\n"
