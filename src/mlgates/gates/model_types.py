"""Which types a model's file would bring to life when it is loaded, without loading it."""

from pathlib import Path
from typing import Any

import yaml

from mlgates.gates.errors import CouldNotRun

SKOPS = "skops"


def stored_format(folder: Path) -> tuple[str, Path]:
    """Return how the scikit-learn model in `folder` is stored (`skops`, `cloudpickle`, `pickle`), and its file.

    Raises `CouldNotRun` when it is no scikit-learn model of MLflow.
    """
    try:
        model: Any = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavor = model["flavors"]["sklearn"]
        return str(flavor["serialization_format"]), folder / str(flavor["pickled_model"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise CouldNotRun(
            f"MLmodel does not say how the model is stored ({type(error).__name__}: {error})",
            remedy="save it by mlflow.sklearn.save_model",
        ) from error


def untrusted_types(file: Path) -> list[str]:
    """Return the types in a skops file that skops itself does not trust. Raises `CouldNotRun` when it is none."""
    from skops.io import get_untrusted_types  # noqa: PLC0415 - brings in scikit-learn

    try:
        return sorted(get_untrusted_types(file=str(file)))
    except Exception as error:  # whatever a broken archive makes skops raise
        raise CouldNotRun(
            f"{file.name} cannot be read by skops: {type(error).__name__}: {error}", remedy="save the model again"
        ) from error
