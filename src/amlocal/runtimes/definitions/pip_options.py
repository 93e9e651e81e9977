"""The arguments of `pip install`, as a command and as lines of a requirements file have them."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

# About how pip goes about its work, not about what is installed.
_FLAGS_WITHOUT_EFFECT = """
-U --upgrade -q --quiet -v --verbose -I --ignore-installed --force-reinstall --user --system --no-cache-dir --no-cache
--disable-pip-version-check --no-warn-script-location --break-system-packages --no-input --prefer-binary --compile
--no-compile -y --yes
"""
_OPTIONS_WITHOUT_EFFECT = """
--root-user-action --progress-bar --timeout --default-timeout --retries --upgrade-strategy --cache-dir
"""
# These stand in a requirements file for uv just as they do for pip.
_SOURCES = (("-i", "--index-url"), ("--extra-index-url",), ("-f", "--find-links"), ("--no-binary",), ("--only-binary",))


class NotHonoured(ValueError):
    """A command asks for something that this package does not do; the message says what."""


@dataclass(frozen=True, slots=True)
class PipArguments:
    """`options` and `flags` as in `Recipe`; the rest as pip was given it."""

    packages: tuple[str, ...]
    editables: tuple[str, ...]
    requirement_files: tuple[str, ...]
    constraint_files: tuple[str, ...]
    options: tuple[str, ...]
    flags: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise NotHonoured(message)


def parse_pip_arguments(arguments: Sequence[str]) -> PipArguments:
    """Read what follows `pip install`. Raises `NotHonoured` for an option whose effect cannot be had here."""
    found = _parser().parse_intermixed_args(arguments)
    sources = [f"{names[-1]} {value}" for names in _SOURCES for value in getattr(found, _key(names[-1]))]
    return PipArguments(
        packages=tuple(found.packages),
        editables=tuple(found.editable),
        requirement_files=tuple(found.requirement),
        constraint_files=tuple(found.constraint),
        options=tuple((["--no-index"] if found.no_index else []) + sources),
        flags=tuple(
            (["--prerelease", "allow"] if found.pre else [])
            + [part for host in found.trusted_host for part in ("--allow-insecure-host", host)]
        ),
    )


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("packages", nargs="*")
    for names in (
        ("-r", "--requirement"),
        ("-c", "--constraint"),
        ("-e", "--editable"),
        ("--trusted-host",),
        *_SOURCES,
    ):
        parser.add_argument(*names, dest=_key(names[-1]), action="append", default=[])
    for name in ("--pre", "--no-index"):
        parser.add_argument(name, action="store_true")
    for name in _FLAGS_WITHOUT_EFFECT.split():
        parser.add_argument(name, dest="_", action="store_true")
    for name in _OPTIONS_WITHOUT_EFFECT.split():
        parser.add_argument(name, dest="_")
    return parser


def _key(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")
