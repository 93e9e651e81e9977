"""Runtimes and the environment variables that lead to them."""

from dataclasses import replace
from pathlib import Path

import pytest

from amlocal.runtimes import EnvironmentUnsatisfiable
from amlocal.runtimes.runtime import runtime_at
from tests.unit.amlocal.runtimes.test_runtime import CURRENT


def test_another_interpreter_is_asked_for_the_same_facts() -> None:
    asked = runtime_at(CURRENT.python, CURRENT.description)
    assert replace(asked, site_packages=()) == replace(CURRENT, site_packages=())


def test_an_interpreter_that_does_not_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnsatisfiable, match=r"the environment: .*bin/python does not start"):
        runtime_at(tmp_path / "bin" / "python", "the environment")
