"""Runtimes and the environment variables that lead to them."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.runtimes import current_runtime, environ

CURRENT = current_runtime()
IN_ENVIRONMENT = replace(CURRENT, python=Path("/env/bin/python"), prefix=Path("/env"), scripts=Path("/env/bin"))
POINTERS = ["PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER", "UV_SYSTEM_PYTHON", "CONDA_PREFIX"]

names = st.text("ABCXYZ_", min_size=1).map(lambda name: f"X_{name}")
variables = st.dictionaries(names, st.text(max_size=5))


def test_the_current_runtime_is_this_interpreter() -> None:
    assert (CURRENT.python, CURRENT.prefix) == (Path(sys.executable), Path(sys.prefix))


def test_packages_come_from_folders_of_installed_packages_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    assert current_runtime().site_packages == (tmp_path / "site-packages", *CURRENT.site_packages)


@given(variables)
def test_variables_of_the_person_are_kept(base: dict[str, str]) -> None:
    assert base.items() <= environ(IN_ENVIRONMENT, base).items()


@given(st.dictionaries(st.sampled_from(POINTERS), st.text(max_size=5)))
def test_what_points_to_another_environment_is_dropped(base: dict[str, str]) -> None:
    assert not base.keys() & environ(IN_ENVIRONMENT, base).keys()


@pytest.mark.parametrize(("base", "rest"), [({"PATH": "/usr/bin"}, "/usr/bin"), ({}, os.defpath)])
def test_commands_of_the_runtime_come_first(base: dict[str, str], rest: str) -> None:
    assert environ(IN_ENVIRONMENT, base)["PATH"] == f"/env/bin{os.pathsep}{rest}"


def test_a_virtual_environment_is_announced() -> None:
    assert environ(IN_ENVIRONMENT, {"VIRTUAL_ENV": "/elsewhere"})["VIRTUAL_ENV"] == "/env"


def test_an_interpreter_outside_virtual_environments_announces_none() -> None:
    outside = replace(CURRENT, python=CURRENT.base_python)
    assert "VIRTUAL_ENV" not in environ(outside, {"VIRTUAL_ENV": "/elsewhere"})
