import io
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import yaml
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from mlflow.exceptions import MlflowException
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from diabetes import estimators, patients, saving
from diabetes.schema import FEATURES, LABEL
from tests.unit.diabetes import frames

# mlflow.pyfunc warns about type hints of its own while it is imported
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")

TABLE = patients.check(frames.cohort())
WHOLE = [2, 180, 74, 24, 21, 24, 1, 22]  # even where the feature is a fraction
MIXED = [2, 180, 74, 24, 21, 23.9091702, 1.488172308, 22]


def fitted(name: str) -> Pipeline:
    return estimators.build(name, seed=0).fit(TABLE[list(FEATURES)], TABLE[LABEL])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    saving.save(fitted("scaled-logistic"), folder)
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Any:
    return mlflow.pyfunc.load_model(str(folder))


@pytest.mark.parametrize("name", estimators.NAMES)
def test_a_saved_model_answers_like_the_fitted_one(name: str, tmp_path: Path) -> None:
    model = fitted(name)
    saving.save(model, tmp_path / "model")
    reread = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert list(reread.predict(TABLE)) == list(model.predict(TABLE))


def test_a_type_that_no_one_vouched_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MlflowException, match="untrusted types"):
        saving.save(Pipeline([("odd", FunctionTransformer(fitted))]), tmp_path / "model")


def test_the_requirements_are_pinned_to_what_is_installed(folder: Path) -> None:
    pinned = dict(line.split("==") for line in (folder / "requirements.txt").read_text().splitlines())
    assert pinned == {name: version(name) for name in saving.REQUIRED}


@pytest.mark.parametrize("name", ["azureml-ai-monitoring", "azureml-inference-server-http"])
def test_the_conda_file_has_what_azure_s_scoring_script_imports(folder: Path, name: str) -> None:
    *_, pip = yaml.safe_load((folder / "conda.yaml").read_text())["dependencies"]
    assert f"{name}=={version(name)}" in pip["pip"]


def test_the_signature_names_the_features_in_order(served: Any) -> None:
    assert tuple(served.metadata.get_input_schema().input_names()) == FEATURES


def test_the_order_of_columns_changes_no_answer(served: Any) -> None:
    assert list(served.predict(TABLE[list(reversed(FEATURES))])) == list(served.predict(TABLE))


def test_the_example_keeps_the_types_of_the_signature_in_its_file(folder: Path) -> None:
    # Azure's scoring script casts a request to the types that it reads here.
    example = json.loads((folder / "input_example.json").read_text())
    assert all(isinstance(value, float) for row in example["data"] for value in row)


def test_the_example_is_valid() -> None:
    example = saving.input_example()
    pd.testing.assert_frame_equal(patients.check(example.assign(Diabetic=0))[list(FEATURES)], example)


@pytest.mark.parametrize("row", [WHOLE, MIXED], ids=["whole", "mixed"])
def test_azure_s_online_deployment_takes_whole_and_fractional_numbers(served: Any, row: list[float]) -> None:
    parameter = PandasParameterType(saving.input_example(), enforce_shape=False, orient="split")
    request = parameter.deserialize_input({"columns": list(FEATURES), "index": [0], "data": [row]})
    assert served.predict(request)[0] in (0, 1)


def parsed_by_mlflow(served: Any, body: dict[str, object] | str) -> pd.DataFrame:
    """What MLflow's scoring server, and Azure's batch deployment, make of JSON or CSV before they call the model."""
    from mlflow.pyfunc import scoring_server  # noqa: PLC0415

    schema = served.metadata.get_input_schema()
    if isinstance(body, str):
        table: pd.DataFrame = scoring_server.parse_csv_input(io.StringIO(body), schema)
    else:
        table = scoring_server.infer_and_parse_data(body, schema)
    return table


@pytest.mark.parametrize("row", [WHOLE, MIXED], ids=["whole", "mixed"])
def test_mlflow_s_scoring_server_takes_whole_and_fractional_numbers(served: Any, row: list[float]) -> None:
    request = parsed_by_mlflow(served, {"dataframe_split": {"columns": list(FEATURES), "data": [row]}})
    assert served.predict(request)[0] in (0, 1)


@pytest.mark.parametrize("row", [WHOLE, MIXED], ids=["whole", "mixed"])
def test_a_csv_file_may_hold_whole_and_fractional_numbers(served: Any, row: list[float]) -> None:
    request = parsed_by_mlflow(served, ",".join(FEATURES) + "\n" + ",".join(map(str, row)))
    assert served.predict(request)[0] in (0, 1)


def test_an_empty_field_passes_the_signature_and_is_refused_by_the_model(served: Any) -> None:
    request = parsed_by_mlflow(served, ",".join(FEATURES) + "\n2,,74,24,21,23.9,1.48,22")
    with pytest.raises(ValueError, match="contains NaN"):
        served.predict(request)
