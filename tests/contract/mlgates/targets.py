"""What the suite asks, and in which formats: decided when tests are collected, so that the report names both."""

import os
from collections.abc import Sequence

import pytest

from mlgates.config.load import load_settings
from mlgates.config.project import find_project
from mlgates.config.settings import Target
from mlgates.contract.requests import Format, azure_takes, formats_of
from mlgates.contract.signature import Column, Kind, ModelContract

IN_PROCESS = "in process"
LOCAL = "local"
"""A deployment in a local workspace of the run's own. With `--env NAME` that environment takes the place of both."""

ANY_COLUMNS = ModelContract((Column("any", Kind.DOUBLE),))
FORMATS = formats_of(ANY_COLUMNS)


def targets(config: pytest.Config) -> Sequence[str]:
    """Return the names of what is asked."""
    environment = config.getoption("--env")
    return (IN_PROCESS, LOCAL) if environment is None else (str(environment),)


def taken(config: pytest.Config, *, named: bool = False) -> Sequence[Format]:
    """Return the formats that the targets take of a model with named columns; with `named`, those that name them."""
    formats = [form for form in FORMATS if not named or form is not Format.POSITIONAL]
    return [form for form in formats if azure_takes(form, ANY_COLUMNS)] if on_azure(config) else formats


def on_azure(config: pytest.Config) -> bool:
    """Tell whether the environment that was named is on Azure."""
    environment = config.getoption("--env")
    if environment is None:
        return False
    return load_settings(find_project(config.rootpath), environment, environ=os.environ).target is Target.AZURE
