"""Which Python an environment gets."""

import sys
from pathlib import Path

import pytest

from amlocal.runtimes.errors import EnvironmentUnsatisfiable
from amlocal.runtimes.interpreters import (
    installed_interpreters,
)
from amlocal.runtimes.runtime import current_runtime


def test_the_running_interpreter_is_among_those_that_uv_finds(offline: dict[str, str]) -> None:
    base = current_runtime().base_python
    found = installed_interpreters({**offline, "PATH": str(base.parent)})
    assert sys.version_info[:3] in {one.version for one in found}


def test_a_uv_that_cannot_list_is_quoted(offline: dict[str, str], tmp_path: Path) -> None:
    broken = tmp_path / "uv.toml"
    broken.write_text("not = [toml")
    with pytest.raises(EnvironmentUnsatisfiable, match=r"uv\.toml"):
        installed_interpreters({**offline, "UV_CONFIG_FILE": str(broken)})
