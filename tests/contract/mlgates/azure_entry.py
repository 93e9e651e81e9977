"""A scoring script that treats requests as the one does that Azure ML generates for a model with named columns.

The generated one (Azure/azureml-assets, `mlflow_score_script.py`) takes the input example as the sample of a
`PandasParameterType(orient="split")`, passes `params` through when the signature has none, and answers what MLflow's
`_get_jsonable_obj` makes of `predict`. Run by Microsoft's inference server, see `azure_server.py`.
"""

import json
import os
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.schema_decorators import input_schema
from mlflow.utils.proto_json_utils import _get_jsonable_obj

FOLDER = Path(os.environ["AZUREML_MODEL_DIR"])
EXAMPLE = json.loads((FOLDER / "input_example.json").read_text("utf-8"))
SAMPLE = pd.DataFrame(EXAMPLE["data"], columns=EXAMPLE["columns"])
MODEL = mlflow.pyfunc.load_model(str(FOLDER))


def init() -> None:
    """Nothing: the model is loaded with the module, as there."""


@input_schema("input_data", PandasParameterType(SAMPLE, enforce_shape=False, orient="split"))  # type: ignore[untyped-decorator]
def run(input_data: Any, params: Any = None) -> Any:
    return _get_jsonable_obj(MODEL.predict(input_data, params=params), pandas_orient="records")  # type: ignore[no-untyped-call]
