"""Where an environment without pip gets it from."""

from dataclasses import replace
from pathlib import Path

from amlocal.runtimes import current_runtime
from amlocal.runtimes.pip_package import pip_folder
from tests.unit.amlocal.runtimes.wheelhouse import WheelHouse

BARE = replace(current_runtime(), site_packages=(), wheels=())


def test_an_environment_that_has_pip_needs_none(tmp_path: Path, offline: dict[str, str], cache: Path) -> None:
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__init__.py").touch()
    assert pip_folder(replace(BARE, site_packages=(tmp_path,)), cache, environ=offline, log=print) is None


def test_the_wheel_of_the_interpreter_is_unpacked_once(house: WheelHouse, offline: dict[str, str], cache: Path) -> None:
    house.add("pip", "23.0")
    runtime = replace(BARE, wheels=(Path("/absent"), house.folder))
    first, second = (pip_folder(runtime, cache, environ=offline, log=print) for _ in range(2))
    assert first == second == cache / "pip" / "pip-23.0-py3-none-any"
    assert (first / "pip" / "__init__.py").exists()


def test_without_a_wheel_uv_fetches_pip(house: WheelHouse, offline: dict[str, str], cache: Path) -> None:
    house.add("pip", "23.0")
    folder = pip_folder(BARE, cache, environ=offline, log=print)
    assert folder is not None
    assert (folder / "pip" / "__init__.py").exists()


def test_a_job_may_do_without_pip_but_is_told(offline: dict[str, str], cache: Path) -> None:
    log: list[str] = []
    assert pip_folder(BARE, cache, environ=offline, log=log.append) is None
    assert log[-1].startswith("This job has no pip: pip cannot be fetched: ")
