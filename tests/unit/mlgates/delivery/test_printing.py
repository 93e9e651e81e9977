import io
import sys
import threading
from collections.abc import Callable

import pytest

from mlgates.delivery.printing import diverted
from mlgates.delivery.quiet import quiet_operation


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def in_thread(work: Callable[[], None], name: str | None = None) -> None:
    thread = threading.Thread(target=work, name=name)
    thread.start()
    thread.join()


def test_only_the_thread_that_asked_is_diverted(capsys: pytest.CaptureFixture[str]) -> None:
    mine = io.StringIO()
    with diverted("stdout", lambda rest: mine):
        say("mine")
        in_thread(lambda: say("other"))
    assert (mine.getvalue(), capsys.readouterr().out) == ("mine\n", "other\n")


def test_uses_that_overlap_may_end_in_any_order(capsys: pytest.CaptureFixture[str]) -> None:
    before, mine, other = sys.stdout, io.StringIO(), io.StringIO()
    inside, leave = threading.Event(), threading.Event()

    def outlasting() -> None:
        with diverted("stdout", lambda rest: other):
            inside.set()
            leave.wait(10)
            say("late")

    with diverted("stdout", lambda rest: mine):
        thread = threading.Thread(target=outlasting)
        thread.start()
        inside.wait(10)
        say("early")
    say("free")
    leave.set()
    thread.join()
    assert (mine.getvalue(), other.getvalue(), capsys.readouterr().out) == ("early\n", "late\n", "free\n")
    assert sys.stdout is before


def test_the_innermost_of_one_thread_wins() -> None:
    outer, inner = io.StringIO(), io.StringIO()
    with diverted("stderr", lambda rest: outer), diverted("stderr", lambda rest: inner):
        sys.stderr.write("x\n")
    assert (outer.getvalue(), inner.getvalue()) == ("", "x\n")


def test_what_is_not_diverted_is_as_much_a_terminal_as_before() -> None:
    before = sys.stdout.isatty()
    with diverted("stdout", lambda rest: io.StringIO(), belongs=lambda thread: False):
        assert sys.stdout.isatty() is before
        sys.stdout.flush()


def test_the_dots_of_a_poller_are_kept_off_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    def dot() -> None:
        sys.stdout.write(".")

    with quiet_operation():
        in_thread(dot, name="LROPoller(1)")
        say("heard")
    assert capsys.readouterr().out == "heard\n"
