"""A job's own environment, laid over another: its commands, its pip."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from amlocal.runtimes import EnvironmentSpec, Runtime, create_layer, current_runtime, environ, parse_conda, resolve
from amlocal.runtimes.layer import launcher, pip_folder, relaunch
from tests.unit.amlocal.runtimes.wheelhouse import WheelHouse

Run = Callable[..., str]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layer")


@pytest.fixture(scope="module")
def shared(workshop: Path, uv_cache: Path) -> dict[str, str]:
    house = WheelHouse(workshop / "wheels")
    for name, version in (("tiny", "1.0"), ("tiny", "2.0"), ("other", "1.0")):
        house.add(name, version)
    return house.environ(uv_cache, os.environ)


@pytest.fixture(scope="module")
def below(workshop: Path, shared: dict[str, str]) -> Runtime:
    """A built environment with `tiny` 1.0 and no pip."""
    spec = EnvironmentSpec(name="e", conda_file=parse_conda("dependencies: [tiny=1.0]"))
    cache, cancelled = workshop / "cache", threading.Event()
    return resolve(spec, cache=cache, strict=False, log=print, cancelled=cancelled, environ=shared)


@pytest.fixture
def layer(below: Runtime, workshop: Path, tmp_path: Path) -> Runtime:
    return create_layer(below, tmp_path / "layer", workshop / "cache")


@pytest.fixture
def run(layer: Runtime, shared: dict[str, str], tmp_path: Path) -> Run:
    return _runner(layer, shared, tmp_path)


def _runner(runtime: Runtime, base: dict[str, str], folder: Path) -> Run:
    def run(*command: str) -> str:
        variables = environ(runtime, base)
        done = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def _state(runtime: Runtime) -> dict[str, int]:
    """Files of an environment and when they changed; caches of compiled modules do not count."""
    files = (path for path in runtime.prefix.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path): path.stat().st_mtime_ns for path in files}


def test_packages_below_are_seen(run: Run) -> None:
    assert run("python", "-c", "import tiny; print(tiny.__version__)") == "1.0"


def test_python_takes_it_for_a_virtual_environment_of_its_own(run: Run, layer: Runtime) -> None:
    printed = run("python", "-c", "import sys; print(sys.prefix, sys.executable, sys.prefix != sys.base_prefix)")
    assert printed == f"{layer.prefix} {layer.python} True"


def test_commands_below_run_in_the_layer(run: Run, layer: Runtime) -> None:
    assert run("tiny") == f"tiny 1.0 {layer.prefix}"


@pytest.mark.parametrize("pip", [("pip",), ("python", "-m", "pip"), ("uv", "pip")])
def test_an_install_lands_in_the_layer_and_hides_what_is_below(
    run: Run, layer: Runtime, below: Runtime, pip: tuple[str, ...]
) -> None:
    before = _state(below)
    run(*pip, "install", "tiny==2.0")
    assert run("tiny") == f"tiny 2.0 {layer.prefix}"
    assert _state(below) == before


def test_what_is_below_cannot_be_removed(run: Run, below: Runtime) -> None:
    before = _state(below)
    run("pip", "uninstall", "--yes", "tiny")
    assert _state(below) == before


def test_two_layers_do_not_see_each_other(
    run: Run, below: Runtime, workshop: Path, shared: dict[str, str], tmp_path: Path
) -> None:
    second = create_layer(below, tmp_path / "second", workshop / "cache")
    run("uv", "pip", "install", "other")
    missing = "import importlib.util; print(importlib.util.find_spec('other'))"
    assert _runner(second, shared, tmp_path)("python", "-c", missing) == "None"


def test_a_layer_over_a_layer_sees_both(
    run: Run, layer: Runtime, workshop: Path, shared: dict[str, str], tmp_path: Path
) -> None:
    run("uv", "pip", "install", "other")
    upper = create_layer(layer, tmp_path / "upper", workshop / "cache")
    run_upper = _runner(upper, shared, tmp_path)
    assert (run_upper("other"), run_upper("tiny")) == (f"other 1.0 {upper.prefix}", f"tiny 1.0 {upper.prefix}")


def test_a_virtual_environment_made_inside_stands_on_the_interpreter(run: Run, below: Runtime, tmp_path: Path) -> None:
    run("python", "-m", "venv", "--without-pip", "child")
    printed = run(str(tmp_path / "child" / "bin" / "python"), "-c", "import sys; print(sys._base_executable)")
    assert Path(printed).resolve() == below.base_python.resolve()


def test_the_current_interpreter_carries_a_layer_too(workshop: Path, shared: dict[str, str], tmp_path: Path) -> None:
    layer = create_layer(current_runtime(), tmp_path / "layer", workshop / "cache")
    assert _runner(layer, shared, tmp_path)("python", "-c", "import yaml, sys; print(sys.prefix)") == str(layer.prefix)


def test_editable_installs_around_the_workspace_are_not_seen(
    below: Runtime, workshop: Path, shared: dict[str, str], tmp_path: Path
) -> None:
    site, source = tmp_path / "site-packages", tmp_path / "source"
    site.mkdir()
    source.mkdir()
    (source / "edited.py").touch()
    (site / "_editable_impl_edited.pth").write_text(f"{source}\n")
    layer = create_layer(replace(below, site_packages=(site,)), tmp_path / "layer", workshop / "cache")
    missing = "import importlib.util; print(importlib.util.find_spec('edited'))"
    assert _runner(layer, shared, tmp_path)("python", "-c", missing) == "None"


def test_commands_that_are_not_python_stay_what_they_are(below: Runtime, workshop: Path, tmp_path: Path) -> None:
    scripts = tmp_path / "bin"
    (scripts / "folder").mkdir(parents=True)
    for name, content, mode in (
        ("shell", "#!/bin/sh\n", 0o755),
        ("binary", "\x7fELF", 0o755),
        ("python3", "\x7fELF", 0o755),
        ("activate", "# read, not run", 0o644),
    ):
        (scripts / name).write_text(content)
        (scripts / name).chmod(mode)
    layer = create_layer(replace(below, scripts=scripts), tmp_path / "layer", workshop / "cache")
    linked = {path.name for path in layer.scripts.iterdir() if path.is_symlink() and path.readlink().parent == scripts}
    assert linked == {"shell", "binary"}


def test_an_environment_without_commands_carries_a_layer(below: Runtime, workshop: Path, tmp_path: Path) -> None:
    layer = create_layer(replace(below, scripts=tmp_path / "none"), tmp_path / "layer", workshop / "cache")
    assert {path.name.rstrip("0123456789.") for path in layer.scripts.iterdir()} == {"python", "pip"}


def test_a_layer_may_be_named_from_the_working_directory(
    below: Runtime, workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert create_layer(below, Path("near"), workshop / "cache").python == tmp_path / "near" / "bin" / "python"


def test_a_folder_in_use_is_not_overwritten(layer: Runtime, below: Runtime, workshop: Path) -> None:
    with pytest.raises(FileExistsError):
        create_layer(below, layer.prefix, workshop / "cache")


BELOW = Path("/below/bin")
BODY = b"import sys\nprint(sys.argv[1:])\n"
LONG = b"#!/bin/sh\n'''exec' %s \"$0\" \"$@\"\n' '''\n"


@pytest.mark.parametrize(
    "header",
    [
        b"#!/below/bin/python\n",
        b"#!/below/bin/python3.11 -sE\n",
        b"#! /below/bin/python3\n",
        LONG % b"/below/bin/python3",
        LONG % b'"/below/bin/python"',
        LONG % b'"$(dirname -- "$(realpath -- "$0")")"/\'python\'',
    ],
)
def test_commands_of_the_environment_below_get_the_new_interpreter(header: bytes) -> None:
    assert relaunch(header + BODY, {BELOW}, Path("/new/bin/python")) == b"#!/new/bin/python\n" + BODY


@pytest.mark.parametrize(
    "script",
    [
        b"#!/bin/sh\necho\n",
        b"#!/elsewhere/bin/python\n",
        b"#!/below/bin/node\n",
        b"#!/usr/bin/env python\n",
        b"#!\n",
        b"\x7fELF",
        b"",
    ],
)
def test_other_commands_are_left_as_they_are(script: bytes) -> None:
    assert relaunch(script, {BELOW}, Path("/new/bin/python")) is None


@pytest.mark.parametrize("folder", ["short", "with space", "with'quote and \"", "long" * 40])
def test_a_command_starts_whatever_the_path_of_its_interpreter(tmp_path: Path, folder: str) -> None:
    python = tmp_path / folder / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    command = tmp_path / "command"
    command.write_bytes(launcher(python, BODY))
    command.chmod(0o755)
    done = subprocess.run([command, "a b", "c"], capture_output=True, text=True, check=True)
    assert done.stdout == "['a b', 'c']\n"


def test_a_command_can_be_given_an_interpreter_twice() -> None:
    once = launcher(Path("/first place/bin/python"), BODY)
    again = relaunch(
        once.replace(b"'/first place/bin/python'", b"/first/bin/python"), {Path("/first/bin")}, Path("/new/python")
    )
    assert again == b"#!/new/python\n" + BODY


@pytest.mark.parametrize("folder", ["a b", "with'quote", 'with"two" $x', "é日 #1 50%"])
def test_a_command_of_a_folder_of_any_name_gets_the_new_interpreter(folder: str) -> None:
    below = Path("/below", folder)
    script = launcher(below / "python3", BODY)
    assert relaunch(script, {below}, Path("/new/python")) == b"#!/new/python\n" + BODY
    assert relaunch(LONG % b"'/below/unclosed" + BODY, {below}, Path("/new/python")) is None


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


def test_a_job_may_do_without_pip_but_is_warned(offline: dict[str, str], cache: Path) -> None:
    log: list[str] = []
    assert pip_folder(BARE, cache, environ=offline, log=log.append) is None
    assert log[-1].startswith("This job has no pip: pip cannot be fetched: ")
