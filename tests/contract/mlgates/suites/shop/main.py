"""The job of a shop: train on the orders of a file, and record all in MLflow."""

import argparse
import os
import tempfile
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
from shop.train import FEATURES, LABEL, Result, train  # type: ignore[import-not-found]

NEEDED = ("mlflow", "pandas", "scikit-learn", "skops")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=Path, required=True)
    parser.add_argument("--strength", type=float, default=1.0)
    options = parser.parse_args()
    orders = pd.read_csv(options.orders)
    with mlflow.start_run():
        result = train(orders, strength=options.strength)
        mlflow.log_metrics(result.metrics)
        held_out = {"rows": sorted(int(row) for row in result.test.index), "of": len(orders)}
        mlflow.log_dict(held_out, "held_out.json")
        save(result, os.environ["MODEL_PATH"])


def save(result: Result, path: str) -> None:
    rows = result.test[FEATURES].head(3).astype({"items": "float64"})
    signature = mlflow.models.infer_signature(rows, result.test[LABEL].head(3))
    pins = [f"{name}=={version(name)}" for name in NEEDED]
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch, "model"))
        mlflow.sklearn.save_model(
            result.model,
            folder,
            signature=signature,
            input_example=rows,
            pip_requirements=pins,
            serialization_format="skops",
            skops_trusted_types=["numpy.dtype"],
        )
        mlflow.log_artifacts(folder, path)


if __name__ == "__main__":
    main()
