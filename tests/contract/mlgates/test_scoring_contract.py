"""The scoring contract, held by properties against the scorer under test."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgates.contract import properties
from mlgates.contract.catalogue import catalogue
from mlgates.contract.in_process import InProcess
from mlgates.contract.requests import Format, formats_of
from mlgates.contract.signature import Batch, ModelContract
from mlgates.contract.strategies import batches, requests
from mlgates.scoring.scorer import Scorer

FORMATS = [Format.POSITIONAL, Format.SPLIT, Format.RECORDS]
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "60"))
"""Requests a property and format; a full run has 2,000."""

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning"),
]

many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    # The scorer is made once and holds no state between requests, which is among the things under test.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_the_model_is_asked_in_every_format_for_columns(contract: ModelContract) -> None:
    assert formats_of(contract) == tuple(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
@many
@given(data=st.data())
def test_a_valid_request_gets_a_prediction_a_row(
    contract: ModelContract, scorer: Scorer, form: Format, data: st.DataObject
) -> None:
    batch, request = data.draw(requests(contract, form))
    properties.answers(contract, scorer, batch, request)


@pytest.mark.parametrize("form", FORMATS)
@many
@given(data=st.data())
def test_the_predictions_are_the_models_own(
    contract: ModelContract, scorer: Scorer, model: InProcess, form: Format, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract, whole=True))
    properties.agrees_with_model(contract, scorer, batch, form, model.predict)


@many
@given(data=st.data())
def test_the_format_changes_no_prediction(contract: ModelContract, scorer: Scorer, data: st.DataObject) -> None:
    batch = data.draw(batches(contract, whole=True))
    properties.is_independent_of_format(contract, scorer, batch, FORMATS)


@pytest.mark.parametrize("form", [Format.SPLIT, Format.RECORDS])
@many
@given(data=st.data())
def test_the_order_of_columns_changes_no_prediction(
    contract: ModelContract, scorer: Scorer, form: Format, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract))
    order = data.draw(st.permutations(batch.names))
    properties.is_independent_of_column_order(contract, scorer, batch, form, order)


@pytest.mark.parametrize("form", FORMATS)
@many
@given(data=st.data())
def test_the_other_rows_change_no_prediction(
    contract: ModelContract, scorer: Scorer, form: Format, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract, whole=True))
    properties.is_independent_of_batching(contract, scorer, batch, form, [1] * len(batch.rows))


@many
@given(data=st.data())
def test_the_size_of_a_request_changes_no_prediction(
    contract: ModelContract, scorer: Scorer, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract, whole=True, max_rows=12))
    sizes = data.draw(st.lists(st.integers(1, 6), max_size=4))
    properties.is_independent_of_batching(contract, scorer, batch, Format.SPLIT, sizes)


def test_every_request_of_the_catalogue_is_refused(
    contract: ModelContract, scorer: Scorer, sample: Batch, subtests: pytest.Subtests
) -> None:
    for invalid in catalogue(contract, sample):
        with subtests.test(invalid.name):
            properties.refuses(scorer, invalid)


@many
@given(data=st.data())
def test_a_spoilt_request_is_refused(contract: ModelContract, scorer: Scorer, data: st.DataObject) -> None:
    batch = data.draw(batches(contract, whole=True))
    properties.refuses(scorer, data.draw(st.sampled_from(list(catalogue(contract, batch)))))
