"""Commands with another interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

from amlocal.runtimes.launchers import launcher, relaunch

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
