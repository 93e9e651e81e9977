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
_SOURCES = ("index-url", "extra-index-url", "no-binary", "only-binary")


class NotHonoured(ValueError):
    """A command asks for something that this package does not do; the message says what."""


@dataclass(frozen=True, slots=True)
class PipArguments:
    """`options` and `flags` as in `Recipe`; the rest as pip was given it. `links` are those of `--find-links`."""

    packages: tuple[str, ...]
    editables: tuple[str, ...]
    requirement_files: tuple[str, ...]
    constraint_files: tuple[str, ...]
    links: tuple[str, ...]
    options: tuple[str, ...]
    flags: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise NotHonoured(message)


def parse_pip_arguments(arguments: Sequence[str]) -> PipArguments:
    """Read what follows `pip install`. Raises `NotHonoured` for an option whose effect cannot be had here."""
    found = _parser().parse_intermixed_args(arguments)
    sources = [f"--{name} {value}" for name in _SOURCES for value in getattr(found, name.replace("-", "_"))]
    return PipArguments(
        packages=tuple(found.packages),
        editables=tuple(found.editable),
        requirement_files=tuple(found.requirement),
        constraint_files=tuple(found.constraint),
        links=tuple(found.find_links),
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
        ("-f", "--find-links"),
        ("-i", "--index-url"),
        ("--extra-index-url",),
        ("--no-binary",),
        ("--only-binary",),
        ("--trusted-host",),
    ):
        parser.add_argument(*names, action="append", default=[])
    for name in ("--pre", "--no-index"):
        parser.add_argument(name, action="store_true")
    for name in _FLAGS_WITHOUT_EFFECT.split():
        parser.add_argument(name, dest="_", action="store_true")
    for name in _OPTIONS_WITHOUT_EFFECT.split():
        parser.add_argument(name, dest="_")
    return parser
