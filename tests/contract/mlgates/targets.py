"""What the suite asks, and in which formats: decided when tests are collected, so that the report names both."""

import os
from collections.abc import Sequence

import pytest

from mlgates.config.project import find_project
from mlgates.config.settings import Target, load_settings
from mlgates.contract import properties
from mlgates.contract.invalid_requests import InvalidRequest, OnAzure
from mlgates.contract.scoring_requests import served_formats
from mlgates.contract.signature import Column, DataType, ModelContract
from mlgates.endpoint_client import Scorer, ScoringResponse, ask

IN_PROCESS = "in process"
LOCAL = "local"
"""A deployment in a local workspace of the run's own. With `--env NAME` that environment takes the place of both."""

ANY_COLUMNS = ModelContract((Column("any", DataType.DOUBLE),))
FORMATS = served_formats(ANY_COLUMNS)


def targets(config: pytest.Config) -> Sequence[str]:
    """Return the names of what is asked."""
    environment = config.getoption("--mlgates-env")
    return (IN_PROCESS, LOCAL) if environment is None else (str(environment),)


def on_azure(config: pytest.Config) -> bool:
    """Return whether the environment that was named is on Azure."""
    environment = config.getoption("--mlgates-env")
    if environment is None:
        return False
    return load_settings(find_project(config.rootpath), environment, environ=os.environ).target is Target.AZURE


def hold_refusal(config: pytest.Config, scorer: Scorer, invalid: InvalidRequest) -> None:
    """Hold what an invalid request gets: the contract's refusal; on Azure, what Azure's own parts are known to do.

    They do not keep the contract (docs/contract.md). A difference says that Azure has changed: better, or worse.
    """
    if not on_azure(config):
        properties.refuses(scorer, invalid)
        return
    answer = ask(scorer, invalid.request)
    assert behaviour(answer) == invalid.on_azure, f"{invalid.name}: {answer.status} {answer.text[:300]}"


def behaviour(answer: ScoringResponse) -> OnAzure:
    """Return what Azure's parts did with an invalid request."""
    if answer.status == 200:
        return OnAzure.PREDICTS
    return OnAzure.REFUSES if answer.model_status in {400, 415} else OnAzure.FAILS
