"""The scoring contract, held by properties against whatever serves the model.

In process, and deployed in a local workspace; with `--env NAME`, against that environment's online endpoint instead.
`HYPOTHESIS_PROFILE=full` asks 2,000 requests a property, format and target.
"""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.contract import properties
from mlgates.contract.compatibility import compare
from mlgates.contract.invalid_requests import catalogue
from mlgates.contract.model_folder import read_contract
from mlgates.contract.properties import ContractBroken
from mlgates.contract.pyfunc_scorer import PyfuncScorer
from mlgates.contract.scoring_requests import Format, encode, served_formats
from mlgates.contract.signature import Batch, ModelContract
from mlgates.contract.strategies import batches, requests
from mlgates.endpoint_client import Scorer, ask
from tests.contract.mlgates.local_endpoint import LocalEndpoint
from tests.contract.mlgates.targets import FORMATS, hold_refusal, targets

pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask each target in each format of a model with named columns."""
    if "form" in metafunc.fixturenames:
        metafunc.parametrize("form", FORMATS)
    if "scorer" in metafunc.fixturenames:
        metafunc.parametrize("scorer", targets(metafunc.config), indirect=True, scope="session")


def test_the_model_is_asked_in_the_format_for_named_columns(contract: ModelContract) -> None:
    assert served_formats(contract) == FORMATS


@given(data=st.data())
def test_a_valid_request_gets_a_prediction_a_row(
    contract: ModelContract, scorer: Scorer, form: Format, data: st.DataObject
) -> None:
    batch, request = data.draw(requests(contract, form))
    properties.answers(contract, scorer, batch, request)


@given(data=st.data())
def test_the_predictions_are_the_models_own(
    contract: ModelContract, scorer: Scorer, model: PyfuncScorer, form: Format, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract, whole=True))
    properties.agrees_with_model(contract, scorer, batch, form, model.predict)


@given(data=st.data())
def test_the_order_of_columns_changes_no_prediction(
    contract: ModelContract, scorer: Scorer, form: Format, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract))
    order = data.draw(st.permutations(batch.names))
    properties.is_independent_of_column_order(contract, scorer, batch, form, order)


@given(data=st.data())
def test_the_other_rows_change_no_prediction(
    contract: ModelContract, scorer: Scorer, form: Format, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract, whole=True))
    properties.is_independent_of_batching(contract, scorer, batch, form, [1] * len(batch.rows))


@given(data=st.data())
def test_the_size_of_a_request_changes_no_prediction(
    contract: ModelContract, scorer: Scorer, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract, whole=True, max_rows=12))
    sizes = data.draw(st.lists(st.integers(1, 6), max_size=4))
    properties.is_independent_of_batching(contract, scorer, batch, Format.SPLIT, sizes)


def test_every_request_of_the_catalogue_is_refused(
    contract: ModelContract,
    scorer: Scorer,
    sample: Batch,
    pytestconfig: pytest.Config,
    subtests: pytest.Subtests,
) -> None:
    for invalid in catalogue(contract, sample):
        with subtests.test(invalid.name):
            hold_refusal(pytestconfig, scorer, invalid)


@given(data=st.data())
def test_a_spoilt_request_is_refused(
    contract: ModelContract, scorer: Scorer, pytestconfig: pytest.Config, data: st.DataObject
) -> None:
    batch = data.draw(batches(contract, whole=True))
    hold_refusal(pytestconfig, scorer, data.draw(st.sampled_from(list(catalogue(contract, batch)))))


@pytest.mark.parametrize("other", [Format.POSITIONAL, Format.RECORDS])
def test_no_deployment_answers_another_format(
    scorer: Scorer, model: PyfuncScorer, sample: Batch, other: Format
) -> None:
    answer = ask(scorer, encode(sample, other))
    if scorer is model:  # MLflow itself reads them all
        assert answer.status == 200
    else:
        assert answer.status == 424


@pytest.fixture(scope="module")
def renamed(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted fault: the same model, registered with another name for a column."""
    folder = shutil.copytree(model_folder, tmp_path_factory.mktemp("renamed") / "model")
    for file in (folder / "MLmodel", *folder.glob("*input_example.json")):
        file.write_text(file.read_text("utf-8").replace("Age", "Years"), "utf-8")
    return folder


def test_a_renamed_column_in_what_is_deployed_is_found(
    contract: ModelContract, local: LocalEndpoint, renamed: Path, sample: Batch
) -> None:
    local.deploy({"renamed": renamed})
    with pytest.raises(ContractBroken, match=r"not answered with 200\n.*'Age' is not one of the model's"):
        properties.answers(contract, local.scorer("renamed"), sample, encode(sample, Format.SPLIT))


def test_a_renamed_column_is_reported_before_it_is_deployed(contract: ModelContract, renamed: Path) -> None:
    assert "input 'Age' is gone" in compare(contract, read_contract(renamed)).summary
