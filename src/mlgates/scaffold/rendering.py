"""The template and its answers: a project is rendered by Copier, and rendered again from what it keeps of them."""

import sys
from collections.abc import Mapping
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import yaml

from mlgates.core.errors import ConfigurationError

TEMPLATE = Path(__file__).parents[1] / "template"
ANSWERS = ".copier-answers.yml"
_FOLDERS_OF_CI = {".github": ("github", "both"), ".ado": ("azure-devops", "both")}


def render(answers: Mapping[str, Any], into: Path) -> None:
    """Render the template with `answers`, which the project keeps."""
    # Copier takes a second to import, and nothing else of mlgates needs it.
    from copier import run_copy  # noqa: PLC0415

    told = {**answers, "answers": {"mlgates_version": version("mlgates"), **answers}}
    left_out = [folder for folder, systems in _FOLDERS_OF_CI.items() if answers["ci"] not in systems]
    run_copy(
        str(TEMPLATE),
        into,
        data=told,
        exclude=left_out,
        defaults=True,
        overwrite=True,
        quiet=True,
        # The template is part of mlgates, and names an extension of mlgates: it is trusted as the program is.
        unsafe=True,
    )


def read_answers(root: Path) -> dict[str, Any]:
    """Return what a project was made from. Raises `ConfigurationError` when it does not say."""
    file = root / ANSWERS
    try:
        answers = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(
            f"{file} cannot be read ({error}): only what 'mlgates init' made can be updated"
        ) from error
    if not isinstance(answers, dict) or "package" not in answers:
        raise ConfigurationError(f"{file} does not say what the project was made from: restore it from git")
    return {name: value for name, value in answers.items() if name != "mlgates_version"}


def python_module_of(name: str) -> str:
    """Return the package's name for a project's name. Raises `ConfigurationError` when there is none."""
    package = "".join(each if each.isascii() and each.isalnum() else "_" for each in name.lower()).strip("_")
    taken = {*sys.stdlib_module_names, *packages_distributions(), "mlgates", "amlocal", "tests"}
    if not package or package[0].isdigit() or package in taken:
        raise ConfigurationError(
            f"--name: {name!r} cannot be a package of Python: take letters (a to z), digits and '-', a letter first, "
            "and no name that another package has"
        )
    return package
