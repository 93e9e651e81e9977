"""Which Python an environment gets."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from amlocal.runtimes.errors import InvalidDefinition, PythonNotInstalled
from amlocal.runtimes.interpreters import (
    Interpreter,
    accepts,
    choose,
    current_interpreter,
)
from amlocal.runtimes.runtime import current_runtime

interpreters = st.builds(
    Interpreter,
    st.integers(0, 5).map(lambda number: Path(f"/python/{number}")),
    st.tuples(st.just(3), st.integers(8, 14), st.integers(0, 3)),
)
# What may be asked for, and the minor versions of Python 3 that will do.
SERVING = {
    "==3.10.*": {10},
    "==3.11.2": {11},
    ">=3.9,<3.13": {9, 10, 11, 12},
    "<3.10,>=3.8.2": {8, 9},
    "!=3.11.*,>=3.10,<3.13": {10, 12},
    "~=3.12.1": {12},
    "==3.7.*": {7},
}
wanted = st.sampled_from(sorted(SERVING))
CURRENT = Interpreter(Path("/current"), (3, 11, 7))


def _choose(
    python: str | None, *installed: Interpreter, current: Interpreter = CURRENT, strict: bool = False
) -> Interpreter:
    return choose(
        None if python is None else SpecifierSet(python), current, lambda: installed, strict=strict, log=lambda _: None
    )


@pytest.mark.parametrize("python", SERVING)
def test_a_minor_version_serves_when_any_of_its_patches_does(python: str) -> None:
    assert {minor for minor in range(20) if accepts(SpecifierSet(python), (3, minor))} == SERVING[python]


@given(wanted, interpreters, st.lists(interpreters, max_size=4))
def test_the_choice_serves_when_any_does(python: str, current: Interpreter, installed: list[Interpreter]) -> None:
    chosen = _choose(python, *installed, current=current)
    assert (chosen.minor[1] in SERVING[python]) is any(one.minor[1] in SERVING[python] for one in (current, *installed))


@given(wanted, interpreters, st.lists(interpreters, max_size=4))
def test_the_choice_is_the_nearest(python: str, current: Interpreter, installed: list[Interpreter]) -> None:
    def distance(one: Interpreter) -> int:
        return min(abs(one.minor[1] - minor) for minor in SERVING[python])

    chosen = _choose(python, *installed, current=current)
    assert distance(chosen) == min(distance(one) for one in (current, *installed))


@pytest.mark.parametrize("python", [None, "==3.11.*", "==3.11.2", ">=3.9", "<3.11.5"])
def test_the_current_interpreter_serves_wherever_its_minor_version_does(python: str | None) -> None:
    newer = Interpreter(Path("/newer"), (3, 11, 9))
    assert _choose(python, newer) == CURRENT


def test_the_newest_of_those_that_serve_is_taken() -> None:
    older, newer = (Interpreter(Path(f"/{patch}"), (3, 12, patch)) for patch in (1, 8))
    assert _choose("==3.12.*", older, newer) == newer


def test_of_two_as_near_the_current_one_is_taken() -> None:
    assert _choose("==3.10.*", Interpreter(Path("/other"), (3, 9, 1))) == CURRENT


def test_the_nearest_is_said_in_the_log() -> None:
    log: list[str] = []
    choose(SpecifierSet("==3.8.*"), CURRENT, list, strict=False, log=log.append)
    assert log == ["python==3.8.* is not installed here (installed: 3.11.7); taking the nearest, Python 3.11.7"]


def test_strictness_refuses_the_nearest() -> None:
    with pytest.raises(PythonNotInstalled, match=r"python==3\.8\.\* is not installed here \(installed: 3\.11\.7\)"):
        _choose("==3.8.*", strict=True)


@pytest.mark.parametrize("python", ["==2.7.*", ">=3.12,<3.10"])
def test_what_no_python_3_can_be_is_refused(python: str) -> None:
    with pytest.raises(InvalidDefinition, match="no version of Python 3"):
        _choose(python)


def test_the_current_interpreter_is_named_by_its_full_version() -> None:
    assert current_interpreter(current_runtime()).version == sys.version_info[:3]
