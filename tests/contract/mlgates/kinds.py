"""Models of every kind of signature, so that the contract is held for more than a table of numbers."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlgates.contract.signature import Batch, DataType
from mlgates.endpoint_client import Json

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

CODE = Path(__file__).with_name("echo_model.py")
REQUIREMENTS = ("mlflow", "pandas", "azureml-ai-monitoring", "azureml-inference-server-http")
_IMAGE: Json = [[1.0, 2.0], [3.0, 4.0]]
SAMPLES: Mapping[str, Batch] = {
    "columns": Batch(
        (*DataType, "note", "number", "day", "share"),
        (
            (True, 1, 2, 1.5, 2.5, "text", "AAAA", "2024-02-29T12:00:00", "x", 2, "2024-02-29", 0.5),
            (False, -1, 0, 2.0, 0.1, "", "", "1999-12-31", "y", 3, "1999-12-31", 1.5),
        ),
    ),
    "unnamed": Batch(("0", "1"), ((1.5, 2), (2.5, 3))),
    "tensor": Batch(("",), (([0, 255],), ([1, 2],))),
    "tensors": Batch(("left", "right"), ((_IMAGE, [1, 2, 3]), (_IMAGE, [4, 5, 6]))),
}
"""By deployment, a batch with all inputs."""


def save_models(into: Path) -> dict[str, Path]:
    """Save one model a signature; return their folders by name."""
    import mlflow.pyfunc  # noqa: PLC0415 - takes seconds

    folders = {name: into / name for name in SAMPLES}
    for name, signature in _signatures().items():
        mlflow.pyfunc.save_model(
            str(folders[name]),
            loader_module=CODE.stem,
            code_paths=[str(CODE)],
            signature=signature,
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
        )
    return folders


def _signatures() -> "dict[str, ModelSignature]":
    import numpy as np  # noqa: PLC0415
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec  # noqa: PLC0415

    def columns(*specs: Any) -> Schema:
        return Schema([ColSpec(kind, name, required) for kind, name, required in specs])

    def tensor(dtype: str, *shape: int, name: str | None = None) -> TensorSpec:
        return TensorSpec(np.dtype(dtype), shape, name)

    params = ParamSchema([ParamSpec("times", "long", 1), ParamSpec("stops", "string", ["."], shape=(-1,))])
    optional = [
        ("string", "note", False),
        ("long", "number", False),
        ("datetime", "day", False),
        ("float", "share", False),
    ]
    answer = Schema([ColSpec("string")])
    return {
        "columns": ModelSignature(columns(*((kind, kind, True) for kind in DataType), *optional), answer, params),
        "unnamed": ModelSignature(Schema([ColSpec("double"), ColSpec("long")]), answer),
        "tensor": ModelSignature(Schema([tensor("uint8", -1, -1)]), answer),
        "tensors": ModelSignature(
            Schema([tensor("float32", -1, 2, 2, name="left"), tensor("int64", -1, 3, name="right")]), answer
        ),
    }
