"""Who scores what, and what is tried again."""

import io
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlocal.scoring.chatter import Chatter
from amlocal.scoring.crew import Crew, crew_size
from amlocal.scoring.errors import ScoringError
from amlocal.scoring.files import MiniBatch
from amlocal.scoring.outcome import Outcome
from amlocal.scoring.scorer import Result
from amlocal.scoring.worker import Broken, Ready
from tests.unit.amlocal.scoring.workers import PLAIN, Behaviour, in_turn, leaving, until_closed

if TYPE_CHECKING:
    from amlocal.scoring.worker import Start


def answering(failures: Sequence[int] = ()) -> Behaviour:
    """Return the behaviour of workers that write a mini batch's number; `failures` is shared and used up."""
    left = list(failures)

    def behave(connection: Connection) -> int:
        try:
            connection.send(Ready())
            while task := connection.recv():
                if task.batch.number in left:
                    left.remove(task.batch.number)
                    connection.send(Broken("not this time"))
                else:
                    task.part.write_text(f"{task.batch.number}\n")
                    connection.send(Result(1))
        except (EOFError, OSError):
            return 0
        return 1

    return behave


def work(
    folder: Path, start: "Start", *, batches: int = 4, workers: int = 2, retries: int = 0, timeout_s: float = 60.0
) -> list[int]:
    """Return the numbers of the mini batches that were scored, as they stand in the output."""
    output = folder / "out"
    output.write_bytes(b"")
    chosen = replace(PLAIN, workers=workers, max_retries=retries, timeout_s=timeout_s)
    tasks = [MiniBatch(number, (folder / f"file{number}",)) for number in range(batches)]
    Crew(chosen, folder, Chatter(io.BytesIO()), start).run(tasks, folder, Outcome(-1, output))
    return [int(line) for line in output.read_text().split()]


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 64))
def test_there_are_as_many_workers_as_asked_for_but_none_idle_and_none_too_many(
    asked: int, batches: int, cpus: int
) -> None:
    size = crew_size(asked, batches, cpus)
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
