"""The registered model as a scorer: what pyfunc is given, and what it answers."""

import base64
import json

import numpy as np
import pandas as pd
import pytest

from mlgates.contract.model_folder import read_contract
from mlgates.contract.pyfunc_scorer import PyfuncScorer, to_input
from mlgates.contract.scoring_requests import Format, encode
from mlgates.contract.signature import Batch, Column, DataType, ModelContract
from mlgates.endpoint_client import JSON_HEADERS, ask
from tests.unit.mlgates.contract.models import ALL_KINDS, BATCHES, IMAGES, PAIR, UNNAMED, write_model

pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")

LOADER = """
import numpy as np

class Sum:
    def predict(self, frame, params=None):
        return frame.sum(axis=1).to_numpy() * (params or {}).get("times", 1)

def _load_pyfunc(path):
    return Sum()
"""
SIGNATURE = {
    "inputs": [{"type": "double", "name": "a", "required": True}, {"type": "long", "name": "b", "required": True}],
    "outputs": [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}],
    "params": [{"name": "times", "type": "long", "default": 1, "shape": None}],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PyfuncScorer:
    """A model that sums, as MLflow would have saved it."""
    folder = write_model(tmp_path_factory.mktemp("model"), SIGNATURE)
    (folder / "code").mkdir()
    (folder / "code" / "summing_for_a_test.py").write_text(LOADER)
    document = (folder / "MLmodel").read_text()
    flavor = {"loader_module": "summing_for_a_test", "code": "code", "python_version": "3.11.0"}
    (folder / "MLmodel").write_text(
        document.replace("flavors: {}", f"flavors: {json.dumps({'python_function': flavor})}")
    )
    return PyfuncScorer(folder, read_contract(folder))


def test_a_whole_number_is_cast_to_the_double_of_the_signature(model: PyfuncScorer) -> None:
    answer = ask(model, encode(Batch(("a", "b"), ((1, 2), (1.5, 3))), Format.SPLIT))
    assert (answer.status, answer.json()) == (200, [3.0, 4.5])


def test_parameters_reach_the_model(model: PyfuncScorer) -> None:
    assert model.predict(Batch(("a", "b"), ((1, 2),), {"times": 10})) == [30.0]


def test_what_the_contract_refuses_never_reaches_the_model(model: PyfuncScorer) -> None:
    answer = model.score(b'{"input_data": [[1, "two"]]}', JSON_HEADERS)
    assert answer.status == 400
    assert "column 'b' is text" in answer.text


def test_each_type_becomes_the_one_that_mlflow_wants() -> None:
    frame = to_input(ALL_KINDS, BATCHES["all kinds"])
    assert list(map(str, frame.dtypes)) == [
        "bool", "int32", "int64", "float32", "float64", "object", "object", "datetime64[ns]",
    ]  # fmt: skip
    assert frame["x6"][0] == base64.b64decode("AAAA")
    assert frame["x7"][0] == pd.Timestamp(2024, 2, 29, 12)


def test_an_absent_value_is_one_of_pandas(subtests: pytest.Subtests) -> None:
    for data_type in (DataType.DOUBLE, DataType.FLOAT, DataType.STRING, DataType.BINARY, DataType.DATETIME):
        with subtests.test(data_type.value):
            contract = ModelContract((Column("x", data_type, required=False),))
            assert pd.isna(to_input(contract, Batch(("x",), ((None,),)))["x"][0])


def test_columns_without_names_are_numbered() -> None:
    assert list(to_input(UNNAMED, BATCHES["unnamed"]).columns) == [0, 1]


def test_an_unnamed_tensor_is_an_array() -> None:
    array = to_input(IMAGES, BATCHES["images"])
    assert (array.shape, array.dtype) == ((2, 2, 2), np.dtype("float64"))


def test_named_tensors_are_a_dictionary_of_arrays() -> None:
    arrays = to_input(PAIR, BATCHES["a pair of tensors"])
    assert {name: array.shape for name, array in arrays.items()} == {"left": (2, 2, 2), "right": (2, 2, 2)}
