"""The loop of the scoring process, over a real socket pair; and how the process is started."""

import gc
import os
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.online_scoring import launch, link, script_server
from amlocal.online_scoring.link import (
    ALIVE,
    ScoringRequest,
    ScoringResponse,
    pack_request,
    pack_response,
    take_requests,
    take_responses,
)

# MLflow says so of its own type hints, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


class Counting:
    """Answers each request with the size of the batch that it was in."""

    merges = True

    def respond(self, requests: Sequence[ScoringRequest]) -> Iterator[list[ScoringResponse]]:
        yield [ScoringResponse(request.number, 200, str(len(requests)).encode()) for request in requests]


@contextmanager
def serving() -> Iterator[socket.socket]:
    """Serve in a thread; yield the server's end."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=link.serve, args=(theirs, Counting()))
    with ours, theirs:
        thread.start()
        yield ours
        ours.close()
        thread.join(10)
        assert not thread.is_alive()


def received(server: socket.socket, count: int) -> dict[int, bytes]:
    buffer, found = bytearray(), dict[int, bytes]()
    while len(found) < count:
        buffer += server.recv(2**16)
        found |= {answer.number: answer.body for answer in take_responses(buffer)}
    return found


def test_requests_that_have_arrived_together_make_one_batch() -> None:
    with serving() as server:
        server.sendall(b"".join(pack_request(ScoringRequest(number)) for number in (1, 2, 3)))
        assert received(server, 3) == {1: b"3", 2: b"3", 3: b"3"}


def test_a_request_that_comes_alone_waits_for_no_other() -> None:
    with serving() as server:
        for number in (1, 2):
            server.sendall(pack_request(ScoringRequest(number)))
            assert received(server, 1) == {number: b"1"}


def test_a_request_in_pieces_is_answered_when_it_is_whole() -> None:
    frame = pack_request(ScoringRequest(1, b"x" * 1000, "application/json"))
    with serving() as server:
        for start in range(0, len(frame), 100):
            server.sendall(frame[start : start + 100])
        assert received(server, 1) == {1: b"1"}


def test_the_question_whether_it_is_there_is_no_request() -> None:
    with serving() as server:
        server.sendall(pack_request(ScoringRequest(ALIVE)) + pack_request(ScoringRequest(1)))
        assert received(server, 2) == {ALIVE: b"", 1: b"1"}


def test_what_waits_is_taken_up_to_a_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_BATCH_BYTES", 100)
    monkeypatch.setattr(link, "_CHUNK", 64)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"".join(pack_request(ScoringRequest(number, b"x" * 20)) for number in range(1, 21)))
        buffer, sizes = bytearray(), list[int]()
        while sum(sizes) < 20:
            sizes.append(len(link.arrived(theirs, buffer)))
        assert len(sizes) > 3


def test_a_server_that_goes_away_in_the_middle_leaves_nothing_to_answer() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(pack_request(ScoringRequest(1, b"x" * 100))[:50])
        ours.close()
        assert link.arrived(theirs, bytearray()) == []


DOUBLING = """
class Doubling:
    def predict(self, data, params=None):
        return data * 2

def _load_pyfunc(path):
    return Doubling()
"""


def model(folder: Path, module: str, name: str = "small_rules") -> Path:
    """Write an MLflow model whose module is given."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / f"{name}.py").write_text(module)
    (folder / "MLmodel").write_text(f"flavors: {{python_function: {{loader_module: {name}, code: code}}}}")
    return folder


def test_when_the_server_is_gone_the_whole_group_of_the_process_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "killpg", lambda group, number: ended.append((group, number)))
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        link.end_with(theirs)
    assert ended == [(0, signal.SIGKILL)]


def test_a_loaded_model_is_announced_and_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    watched, frozen = threading.Event(), threading.Event()
    monkeypatch.setattr(link, "end_with", lambda server: watched.set())
    monkeypatch.setattr(gc, "freeze", frozen.set)
    ours, theirs = socket.socketpair()
    folder = model(tmp_path / "m", DOUBLING)
    thread = threading.Thread(target=launch.main, args=(folder, theirs.detach()))
    thread.start()
    with ours:
        assert received(ours, 1) == {ALIVE: b""}
        ours.sendall(pack_request(ScoringRequest(1, b'{"input_data": [1, 2]}', "application/json")))
        assert received(ours, 1) == {1: b"[2, 4]"}
    thread.join(20)
    assert (thread.is_alive(), watched.is_set(), frozen.is_set()) == (False, True, True)
    assert "asked one by one" in capfd.readouterr().out


def test_a_model_that_cannot_be_loaded_is_the_end_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(link, "end_with", lambda server: None)
    ours, theirs = socket.socketpair()
    with ours, pytest.raises(SystemExit) as end:
        launch.main(model(tmp_path / "m", "raise ImportError('no such luck')", name="broken_rules"), theirs.detach())
    assert (end.value.code, "no such luck" in capfd.readouterr().err) == (3, True)


def test_amlocal_is_lent_without_what_lies_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(launch.HERE), *sys.path])
    monkeypatch.setitem(sys.modules, "amlocal", sys.modules["amlocal"])
    launch.expose_amlocal()
    assert str(launch.HERE) not in sys.path
    assert sys.modules["amlocal"].__path__ == [str(launch.HERE.parent)]


def test_the_inference_server_is_put_behind_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    server = ModuleType("azureml_inference_server_http.amlserver")
    vars(server)["run"] = lambda: ran.append((vars(server)["DEFAULT_HOST"], sys.argv[1:]))
    package = ModuleType("azureml_inference_server_http")
    vars(package)["amlserver"] = server
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setattr(sys, "path", [str(Path(script_server.__file__).parent), *sys.path])
    monkeypatch.setattr(sys, "argv", ["script_server.py", "score.py", "/tmp/s"])
    runpy.run_path(script_server.__file__, run_name="__main__")
    assert ran == [("unix:/tmp/s", ["--entry_script", "score.py"])]
    assert str(Path(script_server.__file__).parent) not in sys.path


REQUESTS = st.builds(
    ScoringRequest, st.integers(0, 2**32 - 1), st.binary(max_size=50), st.sampled_from(["", "application/json"])
)
ANSWERS = st.builds(
    ScoringResponse, st.integers(0, 2**32 - 1), st.integers(200, 599), st.binary(max_size=50), st.just(0.5)
)


@given(st.lists(REQUESTS, max_size=5), st.integers(1, 20))
def test_requests_come_out_as_they_went_in_however_they_are_cut(requests: list[ScoringRequest], size: int) -> None:
    stream = b"".join(map(pack_request, requests))
    buffer, found = bytearray(), []
    for start in range(0, len(stream), size):
        buffer += stream[start : start + size]
        found += take_requests(buffer)
    assert (found, buffer) == (requests, bytearray())


@given(st.lists(ANSWERS, max_size=5), st.integers(1, 20))
def test_answers_come_out_as_they_went_in_however_they_are_cut(answers: list[ScoringResponse], size: int) -> None:
    stream = b"".join(map(pack_response, answers))
    buffer, found = bytearray(), []
    for start in range(0, len(stream), size):
        buffer += stream[start : start + size]
        found += take_responses(buffer)
    assert (found, buffer) == (answers, bytearray())
