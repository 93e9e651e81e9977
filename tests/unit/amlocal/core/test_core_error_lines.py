"""Which line of a program's output is its error."""

import traceback

from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.error_lines import NOTICE, error_line, shortened

PRINTED = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)


def thrown(error: Exception) -> Exception:
    """Return the error with a traceback."""

    def throw() -> None:
        raise error

    try:
        throw()
    except Exception as caught:  # noqa: BLE001 - the one of the line above
        return caught
    raise AssertionError


def raised(error: Exception) -> list[str]:
    """Return a traceback as Python prints it."""
    return "".join(traceback.format_exception(thrown(error))).splitlines()


@given(before=st.lists(PRINTED), after=st.lists(PRINTED, max_size=8), message=PRINTED)
def test_the_exception_of_a_traceback_whatever_is_printed_around_it(
    before: list[str], after: list[str], message: str
) -> None:
    assert error_line([*before, *raised(ValueError(message)), *after]) == f"ValueError: {message}"


@given(lines=st.lists(PRINTED, min_size=1), notices=st.lists(PRINTED, max_size=3))
def test_else_the_last_line_that_the_program_printed(lines: list[str], notices: list[str]) -> None:
    noise = [f"{NOTICE}03:04:05] {notice}" for notice in notices]
    assert error_line([*noise, *lines, "", "  40%|####      | 2/5 [00:01<00:02]", *noise]) == lines[-1]


@given(st.lists(PRINTED))
def test_of_amlocals_own_lines_none(notices: list[str]) -> None:
    assert error_line([f"{NOTICE}03:04:05] {notice}" for notice in notices]) == ""


def test_one_that_was_caught_long_before_the_end_is_not_the_error() -> None:
    assert error_line([*raised(ValueError("caught")), *["step"] * 40, "no space left"]) == "no space left"


def test_the_last_of_a_chain() -> None:
    last = RuntimeError("last")
    last.__cause__ = thrown(OSError("first"))
    assert error_line(raised(last)) == "RuntimeError: last"


def test_the_first_line_of_a_message_of_many() -> None:
    assert error_line(raised(ValueError("2 errors for Config\nrate\n  too high\nname\n  missing"))) == (
        "ValueError: 2 errors for Config"
    )


def test_the_last_exception_of_a_group() -> None:
    group = ExceptionGroup("many", [thrown(ValueError("a")), thrown(KeyError("b"))])
    assert error_line(raised(group)) == "KeyError: 'b'"


def test_a_group_whose_exceptions_were_never_raised_by_themselves() -> None:
    group = ExceptionGroup("many", [ValueError("a"), KeyError("b")])
    assert error_line(raised(group)) == "ExceptionGroup: many (2 sub-exceptions)"


def test_colours_are_no_part_of_an_error() -> None:
    assert error_line(["\x1b[31mError: red\x1b[0m", "\x1b[2K"]) == "Error: red"
    assert error_line([f"\x1b[1;31m{line}\x1b[0m" for line in raised(ValueError("red"))]) == "ValueError: red"


@given(st.text(max_size=40), st.integers(2, 30))
def test_a_long_error_keeps_its_beginning_and_its_end(text: str, longest: int) -> None:
    short = shortened(text, longest)
    assert len(short) <= longest + 3
    assert short == text if len(text) <= longest else short.startswith(text[: longest // 2])
    assert short.endswith(text[-(longest // 2) :])


@given(st.lists(PRINTED, min_size=1, max_size=22))
def test_what_mlflow_says_of_a_run_that_ends_is_not_its_error(more: list[str]) -> None:
    goodbye = [
        "🏃 View run a at: https://h/mlflow/#/experiments/1/runs/r",
        "🧪 View experiment at: https://h/mlflow/#/experiments/1",
    ]
    assert error_line([*raised(ValueError("\n".join(["too many", *more]))), *goodbye]) == "ValueError: too many"
    assert error_line([*more, *goodbye]) == more[-1]
