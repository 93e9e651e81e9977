"""uv as a child process."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.runtimes import uv_command
from amlocal.runtimes.errors import EnvironmentUnsatisfiable
from amlocal.runtimes.uv_command import KEPT_LINES, OutputTail, reason, uv_path

NEW_FAILURE = """\
Resolved 6 packages in 958ms
   Building scikit-learn==0.24.2
error: Failed to build `scikit-learn==0.24.2`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

         [stderr]
         Traceback (most recent call last):
           File "<string>", line 17, in <module>
         ModuleNotFoundError: No module named 'pkg_resources'

hint: This error likely indicates that `scikit-learn@0.24.2` depends on `pkg_resources`

[tool.uv.extra-build-dependencies]
scikit-learn = ["pkg_resources"]
"""
OLD_FAILURE = """\
  \u00d7 Failed to build `scikit-learn==0.24.2`
  ├─▶ The build backend returned an error
  ╰─▶ Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

      [stderr]
      Traceback (most recent call last):
        File "<string>", line 17, in <module>
      ModuleNotFoundError: No module named 'pkg_resources'

      hint: This usually indicates a problem with the package or the build environment.
"""
BACKEND = "Failed to build `scikit-learn==0.24.2`: The build backend returned an error: Call to "
NEW_CONFLICT = """\
error: No solution found when resolving dependencies
  cause: Because pandas==2.0.0 depends on numpy>=1.21.0 and you require pandas==2.0.0, we can conclude that it fails.
         And because you require numpy<1.20, we can conclude that your requirements are unsatisfiable.
"""
OLD_CONFLICT = """\
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because pandas==2.0.0 depends on numpy>=1.21.0 and you require pandas==2.0.0, we can conclude that it fails.
      And because you require numpy<1.20, we can conclude that your requirements are unsatisfiable.
"""


@pytest.mark.parametrize("said", [NEW_FAILURE, OLD_FAILURE], ids=["new", "old"])
def test_a_package_that_cannot_be_built_is_named_with_its_backends_own_error(said: str) -> None:
    message = reason(said.splitlines())
    assert message.startswith(BACKEND)
    assert message.endswith("failed (exit status: 1): ModuleNotFoundError: No module named 'pkg_resources'")


@pytest.mark.parametrize("said", [NEW_CONFLICT, OLD_CONFLICT], ids=["new", "old"])
def test_a_conflict_is_reported_in_full(said: str) -> None:
    assert reason(said.splitlines()) == (
        "No solution found when resolving dependencies: Because pandas==2.0.0 depends on numpy>=1.21.0 and you require "
        "pandas==2.0.0, we can conclude that it fails. And because you require numpy<1.20, we can conclude that your "
        "requirements are unsatisfiable."
    )


@pytest.mark.parametrize("said", [NEW_FAILURE, OLD_FAILURE], ids=["new", "old"])
def test_a_long_traceback_does_not_push_the_packages_name_out(said: str) -> None:
    frames = "".join(f'           File "x.py", line {number}, in f\n' for number in range(300))
    long = said.replace('  File "<string>"', f"{frames.lstrip()}           File", 1)
    assert reason(long.splitlines()).startswith(BACKEND)


@pytest.mark.parametrize("said", [NEW_FAILURE, OLD_FAILURE], ids=["new", "old"])
def test_a_compilers_error_is_not_taken_for_uvs(said: str) -> None:
    gcc = f'error: Command "gcc {"-I/a/folder " * 200}" failed with exit status 1'
    message = reason(said.replace("ModuleNotFoundError: No module named 'pkg_resources'\n", f"{gcc}\n").splitlines())
    assert message.startswith(BACKEND)
    assert 'error: Command "gcc -I/a/folder' in message
    assert message.endswith("failed with exit status 1")
    assert len(message) < 600


@given(st.integers(0, 40), st.sampled_from([(), ("Resolved 6 packages",)]))
def test_the_beginning_of_an_error_is_kept_however_much_follows(over: int, before: tuple[str, ...]) -> None:
    said = OutputTail()
    error = ["error: Failed to build `a`", "  cause: The build backend returned an error", "", "      [stderr]"]
    printed = [f"      line {number}" for number in range(KEPT_LINES - 20 + over)]
    for line in [*before, *error, *printed]:
        said.add(line)
    kept = said.lines()
    assert reason(kept) == f"Failed to build `a`: The build backend returned an error: line {len(printed) - 1}"
    assert len(kept) == len(set(kept))


def _not_found() -> str:
    raise FileNotFoundError("uv is not beside this Python")


def test_a_uv_on_the_path_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uv").touch(mode=0o755)
    monkeypatch.setattr(uv_command, "find_uv_bin", _not_found)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert uv_path() == str(tmp_path / "uv")


def test_without_any_uv_nothing_can_be_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uv_command, "find_uv_bin", _not_found)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentUnsatisfiable, match="not beside this Python"):
        uv_path()
