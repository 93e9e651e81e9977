from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.gates.cache import Cache


class Asked:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        return {"times": self.times}


class Clock:
    """Stands still until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def counting(*, clock: Callable[[], float], folder: Path | None) -> tuple[Cache, Asked]:
    return Cache(folder, max_age_s=60, clock=clock), Asked()


@given(st.lists(st.text()), st.lists(st.text()))
def test_an_answer_is_that_of_its_own_question(
    tmp_path_factory: pytest.TempPathFactory, one: list[str], other: list[str]
) -> None:
    cache, asked = counting(clock=Clock(), folder=tmp_path_factory.mktemp("cache"))
    cache.once(one, asked)
    assert cache.once(other, asked) == {"times": 1 if one == other else 2}


@pytest.mark.parametrize(("later", "times"), [(60, 1), (61, 2), (-1, 2)])
def test_an_answer_holds_for_its_time(tmp_path: Path, later: float, times: int) -> None:
    clock = Clock()
    cache, asked = counting(clock=clock, folder=tmp_path)
    cache.once(["question"], asked)
    clock.now += later
    assert cache.once(["question"], asked) == {"times": times}


@pytest.mark.parametrize("broken", ["", "{", "[]", "{}", '{"at": "x", "found": {}}'])
def test_a_file_that_is_broken_is_found_out_again(tmp_path: Path, broken: str) -> None:
    cache, asked = counting(clock=Clock(), folder=tmp_path)
    cache.once(["question"], asked)
    (file,) = tmp_path.iterdir()
    file.write_text(broken)
    assert cache.once(["question"], asked) == {"times": 2}


def test_without_a_folder_nothing_is_kept() -> None:
    cache, asked = counting(clock=Clock(), folder=None)
    cache.once(["question"], asked)
    assert cache.once(["question"], asked) == {"times": 2}
