"""The committed samples are requests that the model's signature allows, and that the model answers."""

import csv
import json
from collections.abc import Sequence

import pytest

from mlgates.config.project import Project
from mlgates.config.settings import load_settings
from mlgates.contract import properties
from mlgates.contract.pyfunc_scorer import PyfuncScorer
from mlgates.contract.scoring_requests import Format, azure_takes, encode, parse
from mlgates.contract.signature import Batch, ModelContract
from mlgates.endpoint_client import JSON_HEADERS, Json, ScoringRequest
from tests.contract.mlgates.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")
SETTINGS = load_settings(Project(ROOT), "local", environ={})


def test_the_online_sample_is_answered(contract: ModelContract, model: PyfuncScorer) -> None:
    request = ScoringRequest((ROOT / SETTINGS.online_sample_request).read_bytes())
    batch = parse(contract, request.body, JSON_HEADERS)
    assert len(properties.answers(contract, model, batch, request)) == len(batch.rows)


def test_the_online_sample_has_the_form_that_azure_takes(contract: ModelContract) -> None:
    body = (ROOT / SETTINGS.online_sample_request).read_bytes()
    form = Format.SPLIT
    assert azure_takes(form, contract)
    assert json.loads(body) == json.loads(encode(parse(contract, body, JSON_HEADERS), form).body)


def test_the_batch_sample_has_the_columns_of_the_signature(contract: ModelContract) -> None:
    with (ROOT / SETTINGS.batch_sample_request).open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == list(contract.names)


def test_every_row_of_the_batch_sample_is_answered(contract: ModelContract, model: PyfuncScorer) -> None:
    with (ROOT / SETTINGS.batch_sample_request).open(encoding="utf-8", newline="") as file:
        rows = [tuple(json.loads(value) for value in row) for row in list(csv.reader(file))[1:]]
    batch = Batch(contract.names, tuple(rows))
    assert len(properties.answers(contract, model, batch, encode(batch, Format.SPLIT))) == len(rows)


def test_the_input_example_is_within_the_ranges_of_the_suites(contract: ModelContract) -> None:
    for column, values in zip(contract.columns, zip(*contract.example, strict=True), strict=True):
        assert outside(values, column.limits.minimum, column.limits.maximum) == []


def outside(values: Sequence[Json], least: float | None, most: float | None) -> list[Json]:
    return [v for v in values if not (least is not None and most is not None and least <= float(str(v)) <= most)]
