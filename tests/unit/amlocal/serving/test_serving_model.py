"""A model gets from a deployment what it gets from MLflow."""

import json
from pathlib import Path
from typing import Any

import pytest

from amlocal.serving.frames import Request

pytestmark = [
    # MLflow says so of its own type hints, when it is imported.
    pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning"),
]

VALUES = {
    "double": 1, "float": 0.5, "long": 2**40, "integer": 7.0, "boolean": True, "string": "x", "binary": "YQ==",
    "datetime": "2026-01-31T12:00:00",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers with what it was asked: its types, values and parameters, as text."""
    import mlflow  # noqa: PLC0415 - it takes seconds
    import pandas as pd  # noqa: PLC0415
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema  # noqa: PLC0415

    class Echo(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined,misc]
        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[str]:
            dtypes = model_input.dtypes.astype(str).to_dict()
            return [f"{dtypes} {row} {params}" for row in model_input.to_dict(orient="records")]

    columns = [ColSpec(DataType[kind], kind) for kind in VALUES] + [ColSpec("double", "optional", required=False)]
    folder = tmp_path_factory.mktemp("models") / "model"
    mlflow.pyfunc.save_model(
        folder,
        python_model=Echo(),
        signature=ModelSignature(
            inputs=Schema([*columns]),
            outputs=Schema([ColSpec("string")]),
            params=ParamSchema([ParamSpec("limit", "long", 3)]),
        ),
        pip_requirements=[],
    )
    return folder


@pytest.mark.parametrize("optional", [{}, {"optional": 2.5}], ids=["left out", "sent"])
@pytest.mark.parametrize("params", [{}, {"limit": 4}], ids=["by default", "sent"])
def test_a_model_is_asked_the_same_whether_mlflow_checks_the_table_or_not(
    folder: Path, optional: dict[str, float], params: dict[str, int]
) -> None:
    import mlflow  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    from amlocal.serving.model import Model  # noqa: PLC0415
    from amlocal.serving.scorer import Scorer  # noqa: PLC0415

    body = json.dumps({"input_data": [{**VALUES, **optional}], "params": params}).encode()
    ((answer,),) = Scorer(Model(folder, lenient=True)).answers([Request(1, body, "application/json")])
    typed = {"float": np.float32(0.5), "integer": np.int32(7), "binary": b"a", "double": 1.0}
    frame = pd.DataFrame([{**VALUES, **typed, "datetime": pd.Timestamp(str(VALUES["datetime"])), **optional}])
    frame = frame.astype({"float": "float32", "integer": "int32"})
    assert json.loads(answer.body) == mlflow.pyfunc.load_model(folder).predict(frame, params=params)


@pytest.mark.parametrize("lenient", [True, False])
def test_only_a_lenient_model_with_named_columns_takes_rows(folder: Path, lenient: bool) -> None:
    from amlocal.serving.model import Model  # noqa: PLC0415
    from amlocal.serving.scorer import Scorer  # noqa: PLC0415

    scorer = Scorer(Model(folder, lenient=lenient))
    split = {"columns": list(VALUES), "index": [0], "data": [list(VALUES.values())]}
    statuses = {}
    for name, data in {"split": split, "records": [VALUES], "rows": [list(VALUES.values())]}.items():
        request = Request(1, json.dumps({"input_data": data}).encode(), "application/json")
        ((answer,),) = scorer.answers([request])
        statuses[name] = answer.status
    others = 200 if lenient else 400
    assert statuses == {"split": 200, "records": others, "rows": others}
