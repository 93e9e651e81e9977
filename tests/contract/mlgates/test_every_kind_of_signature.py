"""The contract for every type of column, optional columns, parameters and tensors: served locally as in process.

The models answer what reached them (`echo_model.py`), so a value that arrives otherwise than it was sent shows.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.contract import properties
from mlgates.contract.invalid_requests import catalogue
from mlgates.contract.model_folder import read_contract
from mlgates.contract.pyfunc_scorer import PyfuncScorer
from mlgates.contract.scoring_requests import served_formats
from mlgates.contract.signature import ModelContract
from mlgates.contract.strategies import batches, requests
from mlgates.endpoint_client import Scorer
from tests.contract.mlgates.kinds import SAMPLES, save_models
from tests.contract.mlgates.local_endpoint import LocalEndpoint

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning"),
    # Nor does it need one: nothing can be inferred that the signatures do not say.
    pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning"),
    pytest.mark.parametrize("kind", SAMPLES),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return save_models(tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def endpoint(local: LocalEndpoint, folders: Mapping[str, Path]) -> LocalEndpoint:
    local.deploy(folders)
    return local


@pytest.fixture(scope="module")
def models(folders: Mapping[str, Path]) -> Mapping[str, PyfuncScorer]:
    return {name: PyfuncScorer(folder, read_contract(folder)) for name, folder in folders.items()}


@pytest.fixture
def contract(folders: Mapping[str, Path], kind: str) -> ModelContract:
    return read_contract(folders[kind])


@pytest.fixture
def scorer(endpoint: LocalEndpoint, kind: str) -> Scorer:
    return endpoint.scorer(kind)


def test_what_was_sent_reaches_the_model(
    contract: ModelContract, scorer: Scorer, models: Mapping[str, PyfuncScorer], kind: str
) -> None:
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        form = data.draw(st.sampled_from(served_formats(contract)))
        batch, request = data.draw(requests(contract, form))
        got = properties.answers(contract, scorer, batch, request)
        assert got == models[kind].predict(batch)

    holds()


def test_every_request_of_the_catalogue_is_refused(
    contract: ModelContract, scorer: Scorer, kind: str, subtests: pytest.Subtests
) -> None:
    for invalid in catalogue(contract, SAMPLES[kind]):
        with subtests.test(invalid.name):
            properties.refuses(scorer, invalid)


def test_a_spoilt_request_is_refused(contract: ModelContract, scorer: Scorer, kind: str) -> None:
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        batch = data.draw(batches(contract, whole=True))
        properties.refuses(scorer, data.draw(st.sampled_from(list(catalogue(contract, batch)))))

    holds()
