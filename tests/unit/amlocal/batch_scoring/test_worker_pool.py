"""The workers of a batch job: who scores what, what is retried, what comes of it and is printed."""

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlocal.batch_scoring.batch_job import MiniBatch, MiniBatchResult, ScoringError, reason_of
from amlocal.batch_scoring.worker import WorkerFailure, WorkerReady, redirect_output
from amlocal.batch_scoring.worker_pool import BatchOutcome, OutputCapture, WorkerPool, pool_size, too_many
from tests.unit.amlocal.batch_scoring.workers import PLAIN, Behaviour, in_turn, leaving, until_closed

if TYPE_CHECKING:
    from amlocal.batch_scoring.worker import StartWorker


def answering(failures: Sequence[int] = ()) -> Behaviour:
    """Return the behaviour of workers that write a mini batch's number; `failures` is shared and used up."""
    left = list(failures)

    def behave(connection: Connection) -> int:
        try:
            connection.send(WorkerReady())
            while task := connection.recv():
                if task.batch.number in left:
                    left.remove(task.batch.number)
                    connection.send(WorkerFailure("not this time"))
                else:
                    task.part.write_text(f"{task.batch.number}\n")
                    connection.send(MiniBatchResult(1))
        except (EOFError, OSError):
            return 0
        return 1

    return behave


def work(
    folder: Path, start: "StartWorker", *, batches: int = 4, workers: int = 2, retries: int = 0, timeout_s: float = 60.0
) -> list[int]:
    """Return the numbers of the mini batches that were scored, as they stand in the output."""
    output = folder / "out"
    output.write_bytes(b"")
    chosen = replace(PLAIN, workers=workers, max_retries=retries, timeout_s=timeout_s)
    tasks = [MiniBatch(number, (folder / f"file{number}",)) for number in range(batches)]
    WorkerPool(chosen, folder, OutputCapture(io.BytesIO()), start).run(tasks, folder, BatchOutcome(-1, output))
    return [int(line) for line in output.read_text().split()]


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 64))
def test_there_are_as_many_workers_as_asked_for_but_none_idle_and_none_too_many(
    asked: int, batches: int, cpus: int
) -> None:
    size = pool_size(asked, batches, cpus)
    assert 1 <= size <= min(asked, batches)
    assert size in (asked, batches, max(4, cpus))


@given(batches=st.integers(1, 6), workers=st.integers(1, 4), failures=st.lists(st.integers(0, 5), max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_every_mini_batch_is_scored_once_if_it_may_be_tried_often_enough(
    tmp_path: Path, batches: int, workers: int, failures: list[int]
) -> None:
    start = in_turn(answering(failures))
    assert work(tmp_path, start, batches=batches, workers=workers, retries=3) == list(range(batches))


def test_a_mini_batch_is_given_up_after_its_last_retry(tmp_path: Path) -> None:
    assert work(tmp_path, in_turn(answering([1, 1])), retries=1) == [0, 2, 3]


def test_a_worker_that_ended_is_replaced_and_its_mini_batch_tried_again(tmp_path: Path) -> None:
    assert work(tmp_path, in_turn(leaving(7), answering()), workers=1, retries=1) == [0, 1, 2, 3]


def test_a_worker_that_takes_too_long_is_replaced_and_its_mini_batch_tried_again(tmp_path: Path) -> None:
    start = in_turn(until_closed, answering())
    assert work(tmp_path, start, workers=1, retries=1, timeout_s=0.05) == [0, 1, 2, 3]


def test_a_mini_batch_that_takes_too_long_every_time_ends_the_job(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match=r"timeout on each of 3 tries of a mini batch: run\(\) took longer than"):
        work(tmp_path, in_turn(until_closed), workers=1, retries=2, timeout_s=0.02)


def test_a_mini_batch_that_failed_in_other_ways_too_is_left_to_the_threshold(tmp_path: Path) -> None:
    start = in_turn(until_closed, leaving(1), answering())
    assert work(tmp_path, start, workers=1, retries=1, timeout_s=0.05) == [1, 2, 3]


def test_a_worker_that_ends_as_it_loads_ends_the_job(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match=r"init\(\) failed\. the process ended with exit code 4"):
        work(tmp_path, in_turn(lambda _: 4))


@given(st.text(max_size=3000))
def test_a_reason_is_one_line_of_a_bearable_length(message: str) -> None:
    reason = reason_of(ValueError(message))
    assert reason.startswith("ValueError:")
    assert (len(reason.splitlines()), len(reason) < 1010) == (1, True)


@given(st.integers(0, 10**6))
def test_minus_one_lets_any_number_of_files_fail(failed: int) -> None:
    assert not too_many(failed, -1)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_as_many_files_may_fail_as_the_threshold_says(failed: int, threshold: int) -> None:
    assert too_many(failed, threshold) == (failed > threshold)


@given(st.permutations(range(6)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_come_out_in_order_whatever_order_results_come_in(tmp_path: Path, order: list[int]) -> None:
    output = tmp_path / "predictions.csv"
    output.write_bytes(b"")
    outcome = BatchOutcome(-1, output)
    for number in order:
        part = tmp_path / str(number)
        part.write_text(f"{number}\n")
        outcome.add(MiniBatch(number, (Path("f"),)), part, MiniBatchResult(1))
    assert output.read_text() == "0\n1\n2\n3\n4\n5\n"


def test_one_failure_more_than_allowed_ends_the_job_and_names_the_file(tmp_path: Path) -> None:
    outcome = BatchOutcome(1, None)
    outcome.add(MiniBatch(0, (Path("a"),)), None, MiniBatchResult(0, {"a": "unreadable"}))
    with pytest.raises(ScoringError, match=r"2 files failed, and error_threshold is 1\. The first: a: unreadable"):
        outcome.add(MiniBatch(1, (Path("b"),)), None, MiniBatchResult(0, {"b": "unreadable"}))


@given(st.lists(st.binary(min_size=1, max_size=9).filter(lambda piece: b"W" not in piece)), st.integers(1, 30))
def test_output_is_passed_on_up_to_the_limit_and_the_rest_is_dropped_with_a_notice(
    pieces: list[bytes], limit: int
) -> None:
    sink = io.BytesIO()
    capture = OutputCapture(sink, limit=limit)
    for piece in pieces:
        os.write(capture.writer.fileno(), piece)
        capture.pass_on()
    capture.close()
    printed = b"".join(pieces)
    kept, said, _ = sink.getvalue().partition(b"\nWhat else the job prints is left out")
    assert kept.removesuffix(b"\n") == printed[:limit].removesuffix(b"\n")
    assert bool(said) == (len(printed) >= limit)


@given(st.binary(max_size=20))
def test_what_follows_a_worker_s_last_output_begins_a_line(printed: bytes) -> None:
    sink = io.BytesIO()
    capture = OutputCapture(sink, limit=10)
    os.write(capture.writer.fileno(), printed)
    capture.close()
    assert sink.getvalue() == b"" or sink.getvalue().endswith(b"\n")


def test_a_writer_never_waits_for_one_that_has_reached_the_limit(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as sink:
        capture = OutputCapture(sink, limit=10)
        for _ in range(100):
            os.write(capture.writer.fileno(), b"x" * 2**15)  # a pipe holds 64 KB
            capture.pass_on()
        capture.close()
    assert (tmp_path / "log").read_bytes().startswith(b"x" * 10 + b"\n")


class Stream(io.StringIO):
    """A text stream that stands for a file."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file

    def fileno(self) -> int:
        return self._file.fileno()

    def reconfigure(self, **_: bool) -> None:
        """Nothing is held back here."""


def test_the_standard_streams_of_a_worker_are_the_pipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sink = io.BytesIO()
    capture = OutputCapture(sink)
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        monkeypatch.setattr(sys, "stdout", Stream(out))
        monkeypatch.setattr(sys, "stderr", Stream(err))
        redirect_output(capture.writer)
        out.write(b"said\n")
        err.write(b"shouted\n")
    capture.close()
    assert sorted(sink.getvalue().split()) == [b"said", b"shouted"]
