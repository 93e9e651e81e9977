import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.errors import JobFailed, MlgatesError, TrialFailed
from mlgates.core.events import Event, JobLogged, Steps
from mlgates.core.side_by_side import side_by_side
from mlgates.reports.console import listen


class Recorder:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def tell(self, event: Event) -> None:
        assert isinstance(event, JobLogged)
        self.lines.append((event.job, event.line))


def run(name: str, lines: list[str], error: Exception | None = None) -> Steps[int]:
    for line in lines:
        yield JobLogged(name, line)
    if error is not None:
        raise error
    return len(lines)


runs = st.dictionaries(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=4), max_size=4)


@given(runs)
def test_each_run_gives_its_result_under_its_name(plan: dict[str, list[str]]) -> None:
    made = {name: run(name, lines) for name, lines in plan.items()}
    assert listen(side_by_side(made), Recorder()) == {name: len(lines) for name, lines in plan.items()}


@given(runs)
def test_the_events_of_a_run_keep_their_order_and_none_is_lost(plan: dict[str, list[str]]) -> None:
    heard = Recorder()
    listen(side_by_side({name: run(name, lines) for name, lines in plan.items()}), heard)
    assert {name: [line for of, line in heard.lines if of == name] for name in plan} == plan


def test_the_runs_really_go_on_at_the_same_time() -> None:
    met = threading.Barrier(2, timeout=10)

    def meeting() -> Steps[int]:
        yield from ()
        return met.wait()

    assert sorted(listen(side_by_side({"a": meeting(), "b": meeting()}), Recorder()).values()) == [0, 1]


def test_when_one_fails_the_others_come_to_their_end() -> None:
    heard = Recorder()
    with pytest.raises(JobFailed, match="no"):
        listen(side_by_side({"bad": run("bad", [], JobFailed("no")), "good": run("good", ["1", "2", "3"])}), heard)
    assert heard.lines == [("good", "1"), ("good", "2"), ("good", "3")]


def test_of_several_failures_all_are_told_with_the_exit_code_of_the_first() -> None:
    failing = {"a": run("a", [], TrialFailed("first")), "b": run("b", [], JobFailed("second"))}
    with pytest.raises(TrialFailed, match="first\nsecond"):
        listen(side_by_side(failing), Recorder())


def test_a_fault_of_our_own_is_not_hidden() -> None:
    failing = {"a": run("a", [], MlgatesError("told")), "b": run("b", [], ZeroDivisionError("bug"))}
    with pytest.raises(MlgatesError, match="told"):
        listen(side_by_side(failing), Recorder())
    with pytest.raises(ZeroDivisionError):
        listen(side_by_side({"b": run("b", [], ZeroDivisionError("bug"))}), Recorder())
