"""What Microsoft's own packages answer to requests: the ground for `azure_takes` and `InvalidRequest.on_azure`."""

from pathlib import Path

import pytest

from mlgates.contract.invalid_requests import InvalidRequest, catalogue
from mlgates.contract.scoring_requests import Format, azure_takes, encode
from mlgates.contract.signature import Batch, ModelContract
from mlgates.endpoint_client import ScoringResponse
from tests.contract.mlgates.azure_server import ask_all
from tests.contract.mlgates.targets import behaviour

FORMATS = (Format.SPLIT, Format.POSITIONAL, Format.RECORDS)
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


@pytest.fixture(scope="module")
def one_row(sample: Batch) -> Batch:
    return Batch(sample.names, sample.rows[:1])


@pytest.fixture(scope="module")
def invalids(contract: ModelContract, one_row: Batch) -> list[InvalidRequest]:
    return list(catalogue(contract, one_row))


@pytest.fixture(scope="module")
def answers(
    model_folder: Path, invalids: list[InvalidRequest], one_row: Batch, tmp_path_factory: pytest.TempPathFactory
) -> list[ScoringResponse]:
    requests = [encode(one_row, form) for form in FORMATS] + [invalid.request for invalid in invalids]
    return ask_all(model_folder, requests, tmp_path_factory.mktemp("azure"))


@pytest.mark.parametrize("place", range(len(FORMATS)), ids=FORMATS)
def test_azure_takes_the_formats_that_we_say_it_takes(
    contract: ModelContract, answers: list[ScoringResponse], place: int
) -> None:
    assert (answers[place].status == 200) == azure_takes(FORMATS[place], contract)


def test_azure_treats_the_catalogue_as_it_says(
    invalids: list[InvalidRequest], answers: list[ScoringResponse], subtests: pytest.Subtests
) -> None:
    for invalid, answer in zip(invalids, answers[len(FORMATS) :], strict=True):
        with subtests.test(invalid.name):
            assert behaviour(answer) == invalid.on_azure
