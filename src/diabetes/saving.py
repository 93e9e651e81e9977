"""How a fitted model becomes a folder that any MLflow server can serve, Azure ML's no-code deployments included."""

from importlib.metadata import version
from pathlib import Path
from typing import Final

import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from sklearn.pipeline import Pipeline

from diabetes.schema import FEATURES

REQUIRED: Final = (
    "mlflow",
    "numpy",
    "pandas",
    "scikit-learn",
    "skops",
    # Azure ML builds the environment of a no-code deployment from the model's own requirements, and the scoring script
    # it puts there imports these two: without them the deployment crashes at start.
    "azureml-ai-monitoring",
    "azureml-inference-server-http",
)
"""The distributions that a server of the model needs."""

TRUSTED_TYPES: Final = ("sklearn.tree._tree.Tree",)
"""What skops may load beyond its own list: the trees of a forest. Any other type makes `save` fail, as it should."""


def requirements() -> list[str]:
    """Pin each of `REQUIRED` to the version installed here: a model is read by the versions that wrote it."""
    return [f"{name}=={version(name)}" for name in REQUIRED]


def signature() -> ModelSignature:
    """Eight named numbers in, one class (0 or 1) a row out.

    Every feature is a `double`, the counts too. A server casts what it parses, JSON or CSV, to the type stated here:
    to a double it takes 21, 21.0 and an empty field, while to a `long` it would cut 21.7 down to 21 unasked (Azure ML
    online) or fail on 21.0 (batch). The price: a data frame handed to `pyfunc` in person must be float64 already.
    """
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.double, name) for name in FEATURES]),
        outputs=Schema([TensorSpec(np.dtype(np.int64), (-1,))]),
    )


def input_example() -> pd.DataFrame:
    """Two patients who do not exist: rows of the training set are records of people, and stay out of the registry."""
    rows = [(2, 180, 74, 24, 21, 23.9, 1.49, 22), (0, 95, 68, 15, 40, 31.2, 0.21, 45)]
    return pd.DataFrame(rows, columns=list(FEATURES), dtype="float64")


def save(model: Pipeline, folder: Path) -> None:
    """Write the model as an MLflow model with everything above. The folder must be empty or not exist yet."""
    mlflow.sklearn.save_model(
        model,
        str(folder),
        signature=signature(),
        input_example=input_example(),
        pip_requirements=requirements(),
        skops_trusted_types=list(TRUSTED_TYPES),
    )
